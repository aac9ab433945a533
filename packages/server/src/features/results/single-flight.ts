/** Runs the work of one key, shared with those who ask the same at the same time. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

interface Flight<T> {
  readonly current: Promise<T>;
  /** Begins when the current one has ended; whoever arrives meanwhile shares it. */
  next: Promise<T> | undefined;
}

/**
 * Joins equal requests: of any number at most one is being answered and one waits. Nobody gets an
 * answer that was begun before they asked, since what they wrote a moment ago might be missing.
 */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  const begin = (key: string, work: () => Promise<T>): Promise<T> => {
    const current = work();
    const flight: Flight<T> = { current, next: undefined };
    flights.set(key, flight);
    const land = (): void => {
      if (flight.next === undefined) flights.delete(key);
    };
    current.then(land, land);
    return current;
  };

  return (key, work) => {
    const flight = flights.get(key);
    if (flight === undefined) return begin(key, work);
    const go = (): Promise<T> => begin(key, work);
    flight.next ??= flight.current.then(go, go);
    return flight.next;
  };
}
