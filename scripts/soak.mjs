/** `npm run soak -- --minutes 60 --seed 1`: builds the product, then mixed load against it with everybody misbehaving. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const root = resolve(import.meta.dirname, '..');
const bundled = join(root, 'node_modules/.cache/authsome-soak/main.mjs');

if (!process.argv.includes('--no-build')) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) process.exit(1);
}

const bundle = await rolldown({
  input: join(root, 'test/soak/main.ts'),
  cwd: root,
  platform: 'node',
  external: /^[^./]/,
  // The tests' own way to the built program starts at their folder.
  transform: { define: { 'import.meta.dirname': JSON.stringify(join(root, 'test/support')) } },
});
await bundle.write({ file: bundled, format: 'esm' });
await bundle.close();

const { status, signal } = spawnSync(process.execPath, [bundled, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
if (signal !== null) console.error(`ended by ${signal}`);
process.exitCode = status ?? 1;
