/**
 * `npm test`: everything that must hold, in one command. Prints each check as it goes and, last and alone on its
 * line, `N passed, N failed`; before it, by name, every test that was retried. Nothing is skipped: a tool that is missing
 * is installed (as root, with apt-get) or named, and then the run fails.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Programs that the end-to-end tests drive, and the Debian packages that bring them. */
const tools = [
  { program: 'certutil', package: 'libnss3-tools' },
  { program: 'chromium', package: 'chromium' },
  { program: 'curl', package: 'curl' },
  { program: 'dbus-daemon', package: 'dbus-daemon' },
  { program: 'dbus-send', package: 'dbus-bin' },
  { program: 'gnome-keyring-daemon', package: 'gnome-keyring' },
  { program: 'git', package: 'git' },
  { program: 'h2load', package: 'nghttp2-client' },
  { program: 'nghttp', package: 'nghttp2-client' },
  { program: 'python3', package: 'python3' },
  { program: 'setpriv', package: 'util-linux' },
  { program: 'unshare', package: 'util-linux' },
];

/** The published conformance tool for HTTP/2: the last version whose module path Go accepts. */
const h2specModule = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible';

const totals = { passed: 0, failed: 0 };
const notRun = [];
const retried = [];
const scratch = mkdtempSync(join(tmpdir(), 'authsome-test-'));
const started = Date.now();
// Dots in a log are for reading, not for colors.
const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };

try {
  if (count('tools', installTools())) {
    check('build', ['npm', 'run', '--silent', 'build']);
    check('biome', ['npx', '--no-install', 'biome', 'check', '.', '--error-on-warnings']);
    check('types', ['npx', '--no-install', 'tsc', '--noEmit']);
    check('knip', ['npx', '--no-install', 'knip']);
    suite('unit');
    suite('e2e');
    suite('e2e-alone');
    suite('agents');
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      notRun.push('test/security/second-user, which only root on Linux can play');
    }
    h2spec();
    check('demo', ['node', 'scripts/demo.mjs']);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

console.log(`\nin ${Math.round((Date.now() - started) / 1000)} s`);
for (const what of notRun) console.log(`not run: ${what}`);
for (const test of retried) console.log(`retried: ${test}`);
console.log(retried.length === 0 ? 'no test was retried' : `tests retried: ${retried.length}`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;

function installTools() {
  const missing = tools.filter((tool) => !isOnPath(tool.program));
  if (missing.length === 0) return true;
  const install = [
    'apt-get',
    'install',
    '--yes',
    '--no-install-recommends',
    ...new Set(missing.map((tool) => tool.package)),
  ];
  const names = missing.map((tool) => tool.program).join(', ');
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    console.error(`The tests need ${names}. On Debian or Ubuntu: sudo ${install.join(' ')}`);
    return false;
  }
  console.log(`installing ${names}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env };
  spawnSync('apt-get', ['update'], quiet);
  spawnSync(install[0], install.slice(1), quiet);
  const stillMissing = tools.filter((tool) => !isOnPath(tool.program)).map((tool) => tool.program);
  if (stillMissing.length > 0) console.error(`could not install: ${stillMissing.join(', ')}`);
  return stillMissing.length === 0;
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function check(name, [program, ...args]) {
  console.log(`\n— ${name}`);
  const { status } = spawnSync(program, args, { stdio: 'inherit', env });
  return count(name, status === 0);
}

/** Runs one vitest project and adds its own counts; a test that did not run counts as failed. */
function suite(project, environment = env) {
  console.log(`\n— ${project}`);
  const file = join(scratch, `${project}.json`);
  const reporters = ['--reporter=dot', '--reporter=./test/support/reporter.ts'];
  const { status } = spawnSync('npx', ['--no-install', 'vitest', 'run', '--project', project, ...reporters], {
    stdio: 'inherit',
    env: { ...environment, AUTHSOME_TEST_RESULTS: file },
  });
  const results = readResults(file);
  if (results === undefined) return count(project, false);
  const failed = results.total - results.passed;
  totals.passed += results.passed;
  // A file that could not be loaded has no tests to fail.
  totals.failed += failed === 0 && status !== 0 ? 1 : failed;
  retried.push(...results.retried);
  return failed === 0 && status === 0;
}

/** Runs h2spec where there is one, or a Go that builds it; else says that it did not run. */
function h2spec() {
  let program = 'h2spec';
  if (!isOnPath(program)) {
    if (!isOnPath('go')) {
      notRun.push('h2spec, which needs a Go to be built with');
      return;
    }
    const env = { ...process.env, GOBIN: scratch };
    const { status, stderr } = spawnSync('go', ['install', h2specModule], { env, encoding: 'utf8' });
    program = join(scratch, 'h2spec');
    if (status !== 0) {
      notRun.push(`h2spec, which Go could not build: ${stderr.trim().split('\n').at(-1)}`);
      return;
    }
  }
  suite('h2spec', { ...env, H2SPEC: program });
}

function readResults(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function count(name, passed) {
  totals[passed ? 'passed' : 'failed'] += 1;
  if (!passed) console.error(`${name}: failed`);
  return passed;
}
