import { ConflictError, FieldError, NotFoundError } from '../../domain/errors.ts';
import { isSecretValue, SECRET, secretArguments, secretSpans } from '../../domain/secrets.ts';
import type { Template } from '../../domain/template.ts';
import type { Clock } from '../ports.ts';
import type { TemplateStore } from '../store/templateStore.ts';
import type { Secrets } from './secrets.ts';

/** Nobody finds their way among more. */
const MOST = 1000;
/** What stands for a secret where one was taken out. */
const MARK = /\[secret(?::\d{1,6})?\]/;

/** Submissions that are kept under a name, to be made again. */
export class Templates {
  readonly #store: TemplateStore;
  readonly #secrets: Pick<Secrets, 'own'>;
  readonly #clock: Clock;

  constructor(store: TemplateStore, secrets: Pick<Secrets, 'own'>, clock: Clock) {
    this.#store = store;
    this.#secrets = secrets;
    this.#clock = clock;
  }

  list(): Template[] {
    return this.#store.list();
  }

  /** @throws {NotFoundError} */
  get(name: string): Template {
    const found = this.#store.get(name);
    if (found === null) throw new NotFoundError('template', name, '`stint template ls` lists them');
    return found;
  }

  /**
   * @param replace whether one that has the name already gives way.
   * @throws {FieldError} for a secret in it. @throws {ConflictError} if the name is taken, or there are too many.
   */
  save(given: Omit<Template, 'savedAtMs'>, replace: boolean): Template {
    this.#refuseSecrets(given);
    const taken = this.#store.get(given.name) !== null;
    if (taken && !replace) throw nameIsTaken(given.name);
    if (!taken && this.#store.count() >= MOST) {
      throw new ConflictError(`there are ${MOST} templates already`, 'remove some that nobody uses');
    }
    const template = { ...given, savedAtMs: this.#clock.nowMs() };
    this.#store.put(template);
    return template;
  }

  /** @throws {NotFoundError} @throws {ConflictError} if the new name is taken. */
  rename(name: string, to: string): Template {
    const template = this.get(name);
    if (to !== name && this.#store.get(to) !== null) throw nameIsTaken(to);
    this.#store.rename(name, to);
    return { ...template, name: to };
  }

  /** @returns what it was. @throws {NotFoundError} */
  remove(name: string): Template {
    const template = this.get(name);
    this.#store.remove(name);
    return template;
  }

  /** A template is shown to whoever may look, and outlives the job whose secrets are kept apart. */
  #refuseSecrets({ spec, sweep }: Omit<Template, 'savedAtMs'>): void {
    const own = this.#secrets.own();
    const whole = secretArguments(spec.command, own);
    const texts: (readonly [field: string, text: string, secret?: boolean])[] = [
      ...spec.command.map((text, at) => [`spec.command.${at}`, text, whole.has(at)] as const),
      ...Object.entries(spec.env).map(
        ([name, text]) => [`spec.env.${name}`, text, isSecretValue(name, text, own)] as const,
      ),
      ...(['name', 'project', 'cwd', 'outputPath', 'preCommand', 'postCommand'] as const).map(
        (field) => [`spec.${field}`, spec[field] ?? ''] as const,
      ),
      ...spec.tags.map((tag) => ['spec.tags', tag] as const),
      ...(sweep?.axes ?? []).map((text) => ['sweep.axes', text] as const),
    ];
    for (const [field, text, secret = false] of texts) {
      if (!secret && !MARK.test(text) && secretSpans(text, own).length === 0) continue;
      const remedy = 'a template keeps no secrets: leave it out, and give it when the job is submitted';
      throw new FieldError(field, SECRET, remedy);
    }
  }
}

const nameIsTaken = (name: string): ConflictError =>
  new ConflictError(
    `there is a template named ${name} already`,
    'choose another name, or replace that one (--replace)',
  );
