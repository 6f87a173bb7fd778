import type { PassphraseDocument } from '../../../client/index.ts';
import { AuthsomeError } from '../../../errors.ts';
import { readPrivateFile } from '../../../private-files/index.ts';
import type { CommandModule } from '../../command-table.ts';
import type { CommandContext } from '../../context.ts';
import { addExamples } from '../../help-text.ts';
import { keySourceText } from '../../output/key-source.ts';

/** Also in the vault, which checks it: here so that the question can say it. */
const shortest = 12;

export interface SetPassphraseOptions {
  /** A private file that contains it; without one, the person is asked. */
  readonly passphraseFile?: string;
}

/** Locks the vault with a passphrase, and removes the key that lies beside it. */
export async function setPassphrase(
  context: CommandContext,
  { passphraseFile }: SetPassphraseOptions,
): Promise<void> {
  const file = passphraseFile ?? context.settings().passphraseFile;
  const passphrase = file === undefined ? await asked(context) : inFile(file);
  const client = await context.client();
  const document = await client.setPassphrase(passphrase);
  show(context, document, 'The vault has a passphrase now.');
  const others = document.key_sources.filter((source) => source !== 'passphrase');
  if (others.length > 0 && !context.terminal.json) {
    context.terminal.note(`Without it, the vault still opens with: ${keySourcesText(others)}`);
  }
}

export async function removePassphrase(context: CommandContext): Promise<void> {
  const client = await context.client();
  const document = await client.removePassphrase();
  show(context, document, 'The vault has no passphrase any more.');
  if (!context.terminal.json) {
    context.terminal.note(`It opens with: ${keySourcesText(document.key_sources)}`);
  }
}

function show({ terminal }: CommandContext, document: PassphraseDocument, text: string): void {
  if (terminal.json) terminal.document(document);
  else terminal.note(text);
}

function keySourcesText(sources: PassphraseDocument['key_sources']): string {
  return sources.map((source) => keySourceText[source]).join(', ');
}

function inFile(path: string): string {
  const text = readPrivateFile(path, 'anybody');
  if (text !== undefined) return text.replace(/\r?\n$/, '');
  throw new AuthsomeError('Usage', `there is no file at ${path}`, {
    hint: 'Write the passphrase to a file of mode 0600, and name that.',
  });
}

/** Asked twice, since a passphrase with a typing error would lock its owner out. */
async function asked({ questions }: CommandContext): Promise<string> {
  if (questions === undefined) {
    throw new AuthsomeError('Usage', 'there is no terminal to type a passphrase at', {
      hint: 'Name a file of mode 0600 that contains it: authsome vault passphrase set --passphrase-file <file>',
    });
  }
  const passphrase = await questions.secret(`New passphrase (at least ${shortest} characters): `);
  const again =
    passphrase === undefined || passphrase === '' ? passphrase : await questions.secret('Again: ');
  if (passphrase === undefined || again === undefined) {
    throw new AuthsomeError('Cancelled', 'the passphrase was not changed');
  }
  if (passphrase === again) return passphrase;
  throw new AuthsomeError('Usage', 'the two are not the same, so the passphrase was not changed', {
    hint: 'Run the command again.',
  });
}

export const build: CommandModule['build'] = (command, context, finish) => {
  const passphrase = command
    .command('passphrase')
    .description('lock the vault with a passphrase, or remove it');
  addExamples(
    passphrase
      .command('set')
      .description('set the passphrase, or change it')
      .option('--passphrase-file <file>', 'take it from a file of mode 0600'),
    [
      ['authsome vault passphrase set', ''],
      ['authsome vault passphrase set --passphrase-file /run/secrets/vault', 'without a terminal'],
    ],
  ).action((options: SetPassphraseOptions) => finish(setPassphrase(context, options)));
  addExamples(passphrase.command('remove').description('open the vault without a passphrase from now on'), [
    ['authsome vault passphrase remove', ''],
  ]).action(() => finish(removePassphrase(context)));
  passphrase.helpCommand('help [command]', 'show help');
  addExamples(passphrase, [['authsome vault passphrase set', '']]);
  addExamples(command, [['authsome vault passphrase set', '']]);
};
