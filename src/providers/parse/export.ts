import type { Provider } from '../provider.ts';
import { type Fields, PointedFault, variableForm } from './fields.ts';

/** Variables that steer programs or the proxy itself: a phantom there would break the run or bypass the proxy. */
const reservedVariables =
  /^(?:PATH|HOME|SHELL|USER|TERM|IFS|ENV|BASH_ENV|LD_.*|DYLD_.*|NODE_.*|DENO_.*|PYTHON.*|RUBY.*|PERL.*|JAVA_TOOL_OPTIONS|GIT_.*|SSL_CERT_.*|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|AWS_CA_BUNDLE|.*_PROXY|AUTHSOME_.*)$/i;

/** The variables of `export.env`; names under other keys (`refresh_token`) are never exported. */
export function parseExport(fields: Fields | undefined): Provider['exportVariables'] {
  if (fields === undefined) return [];
  const seen = new Set<string>();
  return (['access_token', 'api_key'] as const).flatMap((value) =>
    fields.texts(value).map(({ text: name, pointer }) => {
      if (!variableForm.pattern.test(name)) throw new PointedFault(pointer, variableForm.sentence);
      if (reservedVariables.test(name))
        throw new PointedFault(pointer, `must not be ${name}: that variable changes how programs run`);
      if (seen.has(name)) throw new PointedFault(pointer, `must not name ${name} twice`);
      seen.add(name);
      return { name, value };
    }),
  );
}

/** `export.phantom`. */
export function parsePhantomTemplate(fields: Fields | undefined): string | undefined {
  const text = fields?.text('phantom', {
    pattern: /^[\x21-\x7e]{8,512}$/,
    sentence: 'must be 8 to 512 printable ASCII characters',
  });
  if (text !== undefined && !text.includes('{random}'))
    fields?.fault('phantom', 'must contain {random}, so that no two runs share one');
  return text;
}
