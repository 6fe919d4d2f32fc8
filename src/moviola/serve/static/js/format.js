// Times, sizes and counts as people read them.

/** Seconds as `m:ss` or `h:mm:ss`; with `tenths`, `m:ss.t`. */
export function clock(seconds, { tenths = false } = {}) {
  const unit = tenths ? 10 : 1;
  const whole = Math.max(0, Math.floor(seconds * unit + 1e-6));
  const total = Math.floor(whole / unit);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const head = hours ? `${hours}:${two(minutes)}` : `${minutes}`;
  return `${head}:${two(total % 60)}${tenths ? `.${whole % 10}` : ""}`;
}

/** `0:08 – 0:12`. A span within one second shows tenths, so that its ends differ. */
export function spanText(start, end) {
  const tenths = Math.floor(start) === Math.floor(end);
  return `${clock(start, { tenths })} – ${clock(end, { tenths })}`;
}

/** Seconds as words: `about 40 s`, `6 min`, `2 h 10 min`. */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  let value = count;
  while (value >= 1000 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `1 moment`, `1,204 moments`. */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
