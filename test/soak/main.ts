import { type Sample, soak } from './soak.ts';

/** `node scripts/soak.mjs [--minutes 60] [--seed 1] [--rate 60] [--clients 16]` */
function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
}

const minutes = option('minutes', 60);
const seed = option('seed', 1);

const line = ({ seconds, requests, residentKb, openSockets, violations }: Sample): string =>
  `${String(seconds).padStart(6)} s ${String(requests).padStart(9)} requests  RSS ${Math.round(residentKb / 1024)} MB  ${openSockets} open sockets  ${violations} violations`;

const figures = await soak({
  seed,
  requests: option('requests', Number.POSITIVE_INFINITY),
  minutes,
  rate: option('rate', 60),
  clients: option('clients', 16),
  changeEvery: option('change-every', 1_500),
  onSample: (sample) => console.error(line(sample)),
  onViolation: (text) => console.error(text),
});

const { samples, ...rest } = figures;
console.log(JSON.stringify(rest, undefined, 2));
const megabytes = (from: number, to: number): number => {
  const own = samples
    .slice(Math.floor(samples.length * from), Math.floor(samples.length * to))
    .map(({ residentKb }) => residentKb / 1024)
    .sort((a, b) => a - b);
  return Math.round(own[own.length >> 1] ?? 0);
};
console.error(
  `RSS medians by sixths of the time: ${[0, 1, 2, 3, 4, 5].map((part) => megabytes(part / 6, (part + 1) / 6)).join(', ')} MB`,
);
process.exitCode =
  figures.violations.length === 0 && figures.openSockets.after <= figures.openSockets.before ? 0 : 1;
