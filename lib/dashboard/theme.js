/**
 * Light or dark: as the system says, or as chosen here, which is kept in localStorage. Runs before
 * the page is painted, so that it never flashes in the other colours.
 */

(() => {
  const KEY = "firehouse.theme", THEMES = ["system", "light", "dark"];

  /** @returns {string} */
  function kept() {
    const theme = localStorage.getItem(KEY) ?? "system";
    return THEMES.includes(theme) ? theme : "system";
  }

  /** @param {string} theme */
  function show(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  show(kept());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(kept()));
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("theme");
    if (!(choice instanceof HTMLSelectElement)) return;
    choice.value = kept();
    choice.addEventListener("change", () => {
      localStorage.setItem(KEY, choice.value);
      show(choice.value);
    });
  });
})();
