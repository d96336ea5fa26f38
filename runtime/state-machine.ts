import { GridError } from '../grid/errors.ts';

/** A state, and the only transitions that it makes: any other is a defect that shows at once. */
export class StateMachine<State extends string> {
  readonly #name: string;
  readonly #transitions: Readonly<Record<State, readonly State[]>>;
  #state: State;

  /**
   * @param name what it is the state of; for messages
   * @param transitions the states that may follow each state
   */
  constructor(name: string, initial: NoInfer<State>, transitions: Readonly<Record<State, readonly NoInfer<State>[]>>) {
    this.#name = name;
    this.#state = initial;
    this.#transitions = transitions;
  }

  get state(): State {
    return this.#state;
  }

  /** A method, so that the compiler does not take the state for what it was before an await. */
  is(...states: readonly State[]): boolean {
    return states.includes(this.#state);
  }

  /** @throws GridError `defect` when `next` does not follow the present state. */
  to(next: State): void {
    if (!this.#transitions[this.#state].includes(next)) {
      throw new GridError(
        'defect',
        `${this.#name} is ${this.#state} and cannot become ${next}. This is a defect of the program; please report it.`,
      );
    }
    this.#state = next;
  }

  /** @throws GridError `defect` when the state is another one. */
  expect(state: State): void {
    if (this.#state === state) return;
    throw new GridError(
      'defect',
      `${this.#name} is ${this.#state}, not ${state}. This is a defect of the program; please report it.`,
    );
  }
}
