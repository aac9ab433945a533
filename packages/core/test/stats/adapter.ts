/** Inputs of a case, untyped as the file is; each adapter reads what its method has. */
// biome-ignore lint/suspicious/noExplicitAny: the fixture's shapes differ from method to method
export type Inputs = any;
export type Answer = Readonly<Record<string, unknown>>;
export type Adapters = Readonly<Record<string, (inputs: Inputs) => Answer>>;

/** An outcome in the fixture's words: a refusal is `error`, beside what is still known. */
export function answer<T extends { readonly status: string }>(
  outcome: T,
  numbers: (ok: Extract<T, { status: 'ok' }>) => Answer = (ok) => ({ ...ok }),
): Answer {
  if (outcome.status === 'ok') return numbers(outcome as Extract<T, { status: 'ok' }>);
  const { status, ...rest } = outcome;
  return { error: status, ...rest };
}

/** The flag of a case, of which the fixture names the one that matters. */
export const flagOf = (flags: readonly string[]): string | undefined =>
  flags.find((flag) => flag !== 'NEGATIVE_BASELINE') ?? flags[0];
