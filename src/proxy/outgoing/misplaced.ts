import type { RunPhantom } from '../contract.ts';
import { type Refusal, refuse } from '../decide/index.ts';

/** The refusal of a request with a phantom after its head. `where` names the part, and quotes nothing of it. */
export function misplacedIn({ connection }: RunPhantom, where: string): Refusal {
  return refuse(
    'PhantomMisplaced',
    `the phantom of ${connection} is in ${where}, where this route takes none`,
  );
}
