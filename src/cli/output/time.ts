const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** How far `atMs` is from `nowMs`, to one unit: `in 3h`, `5d ago`, `now`. */
export function relativeTime(atMs: number, nowMs: number): string {
  const distanceMs = Math.abs(atMs - nowMs);
  const unit = units.find(([, ms]) => distanceMs >= ms);
  if (unit === undefined) return 'now';
  const amount = `${Math.floor(distanceMs / unit[1])}${unit[0]}`;
  return atMs > nowMs ? `in ${amount}` : `${amount} ago`;
}

/** Local date and time to the second, for lists that people read. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
