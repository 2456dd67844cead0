/** Addresses that only this machine reaches. */

/** Whether an address to listen on, or a name for one, is such: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  const isBareIpv6 = host.includes(":") && !host.startsWith("[");
  // URL knows the many ways to write an address.
  const name = URL.parse(`http://${isBareIpv6 ? `[${host}]` : host}`)?.hostname ?? host;
  return name === "localhost" || name === "[::1]" ||
    /^127(\.\d+){3}$|^\[::ffff:7f[\da-f]{2}:/.test(name);
}
