import type { AuditView } from '../audit/index.ts';

/** Ended runs that are still known: the failure of a request may be recorded after its run has ended. */
const mostEnded = 256;

/** Where the events of each run are recorded: in the view of the principal that the run belongs to. */
export class RunAudits {
  readonly #audits = new Map<string, AuditView>();
  readonly #ended: string[] = [];

  of(run: string): AuditView | undefined {
    return this.#audits.get(run);
  }

  add(run: string, audit: AuditView): void {
    this.#audits.set(run, audit);
  }

  end(run: string): void {
    this.#ended.push(run);
    if (this.#ended.length > mostEnded) this.#audits.delete(this.#ended.shift() ?? '');
  }
}
