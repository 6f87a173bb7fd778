import { approveHostsLine } from '../../command-line.ts';

/** Says of a connection that its definition has gained hosts, and what a person can do. */
export function unapprovedNote(
  of: { readonly provider: string; readonly connection: string },
  hosts: readonly string[],
): string {
  return (
    `${of.provider}/${of.connection} is not approved for hosts that its definition names: ${hosts.join(', ')}. ` +
    `Nothing is sent there. To look at them and allow it: ${approveHostsLine(of)}`
  );
}

/** As `unapprovedNote`, for the connections of a run. */
export function unapprovedNotes(hosts: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return Object.entries(hosts).map(([key, names]) => {
    const slash = key.indexOf('/');
    return `authsome: ${unapprovedNote({ provider: key.slice(0, slash), connection: key.slice(slash + 1) }, names)}`;
  });
}
