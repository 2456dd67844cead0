/** Certificates for tests, made by `openssl`: each is signed by an authority of its own. */

/** Why tests that need certificates can not be run, for their names; empty if they can. */
export const NO_OPENSSL: string = hasOpenssl() ? "" : " (skipped: no openssl here)";

/** A certificate and its key. */
export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Certificate of the authority that signed it, PEM: who trusts this one trusts no other. */
  readonly authority: string;
}

/** Paths for the flags of a collector. */
export interface PairPaths {
  readonly cert: string;
  readonly key: string;
}

const EXTENSIONS = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";

/** Makes a certificate for localhost; `name` is what its subject is called. */
export function makeCertificate(name: string): Certificate {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-certificate-" });
  try {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    Deno.writeTextFileSync(`${folder}/extensions`, EXTENSIONS);
    openssl(folder, "req", "-x509", ...key, "-subj", `/CN=${name} authority`, "-days", "2", ...[
      ...["-keyout", "authority.key", "-out", "authority.pem"],
    ]);
    openssl(folder, "req", ...key, "-subj", `/CN=${name}`, "-keyout", "key.pem", "-out", "request");
    openssl(folder, "x509", "-req", "-in", "request", "-days", "2", "-out", "cert.pem", ...[
      ...["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"],
      ...["-extfile", "extensions"],
    ]);
    const read = (file: string) => Deno.readTextFileSync(`${folder}/${file}`);
    return { cert: read("cert.pem"), key: read("key.pem"), authority: read("authority.pem") };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Writes a pair into a folder, each file put in its place whole, and gives the paths. */
export function writePair(
  folder: string,
  { cert, key }: Pick<Certificate, "cert" | "key">,
): PairPaths {
  const paths = { cert: `${folder}/tls.cert.pem`, key: `${folder}/tls.key.pem` };
  for (const [path, text] of [[paths.cert, cert], [paths.key, key]] as const) {
    Deno.writeTextFileSync(`${path}.new`, text);
    Deno.renameSync(`${path}.new`, path);
  }
  return paths;
}

/** The flags that name a pair. */
export function tlsFlags({ cert, key }: PairPaths): string[] {
  return ["--tls-cert", cert, "--tls-key", key];
}

/** Whether a new connection is served with a certificate of this authority. */
export async function isServedBy(url: string, { authority }: Certificate): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connectTls({
    hostname,
    port: Number(port),
    caCerts: [authority],
  });
  try {
    await connection.handshake();
    return true;
  } catch (error) {
    if (/UnknownIssuer|BadSignature/.test(String(error))) return false;
    throw error;
  } finally {
    connection.close();
  }
}

function openssl(cwd: string, ...args: readonly string[]): void {
  const { success, stderr } = new Deno.Command("openssl", { args: [...args], cwd }).outputSync();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

function hasOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"] }).outputSync().success;
  } catch {
    return false;
  }
}
