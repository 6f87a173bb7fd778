/** Words of a metaphor that the code once used: the request stood before a court. The field has its own. */
export const oldWords: readonly string[] = [
  ...['attend', 'attendance', 'court', 'desk', 'desks', 'docket', 'hear', 'hearing', 'judge', 'judged'],
  ...['judgement', 'judgements', 'judgment', 'law', 'patience', 'petition', 'rival', 'rivals', 'sighting'],
  ...['sightings', 'spoken', 'surroundings', 'valve', 'valves', 'verdict', 'verdicts', 'vigil', 'way out'],
];

/** The words that a name in camel case is made of. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

export function oldWordIn(name: string): string | undefined {
  const text = ` ${wordsOf(name).join(' ')} `;
  return oldWords.find((word) => text.includes(` ${word} `));
}
