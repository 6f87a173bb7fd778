/** `npm run demo`: builds the product and the demo, then runs the demo against the built program. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const root = resolve(import.meta.dirname, '..');
const bundled = join(root, 'node_modules/.cache/authsome-demo/main.mjs');

const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

const bundle = await rolldown({
  input: join(root, 'demo/main.ts'),
  cwd: root,
  platform: 'node',
  external: /^[^./]/,
});
await bundle.write({ file: bundled, format: 'esm' });
await bundle.close();

const program = [bundled, join(root, 'dist/main.js'), join(root, 'demo/agent.mjs')];
const { status } = spawnSync(process.execPath, program, { stdio: 'inherit' });
process.exitCode = status ?? 1;
