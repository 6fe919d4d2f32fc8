// Runs before the first paint, as a classic script, so that a chosen theme never flashes.
try {
  const theme = localStorage.getItem("moviola-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be refused; the system's theme is a good one.
}
