import { describe, expect, it } from 'vitest';
import { conceal, hasSecrets, restored, revealed, withSecretsOf } from '../../src/domain/concealment.ts';
import { FieldError, showValue } from '../../src/domain/errors.ts';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { createJob } from '../../src/domain/lifecycle.ts';
import { parseEnvFile } from '../../src/domain/parseEnvFile.ts';
import { isSecretValue, ownNames, secretArguments, withoutSecrets } from '../../src/domain/secrets.ts';

describe('a name', () => {
  it.each([
    ...[
      'HF_TOKEN',
      'WANDB_API_KEY',
      'AWS_SECRET_ACCESS_KEY',
      'DB_PASSWORD',
      'MYSQL_PWD',
      'GITHUBTOKEN',
      'apiKey',
    ],
    ...['--api-key', '--auth-token', 'wandb.api_key', 'GOOGLE_APPLICATION_CREDENTIALS', 'DB_PASS', 'GH_PAT'],
  ])('%s is a secret’s', (name) => expect(isSecretValue(name, 'anything')).toBe(true));

  it.each([
    ...[
      'PATH',
      'PWD',
      'OLDPWD',
      'TOKENIZERS_PARALLELISM',
      'MAX_TOKENS',
      'AUTHOR',
      'KEYBOARD',
      'MONKEY',
      'PASSES',
    ],
    ...['--tokenizer', 'BYPASS', 'PATTERN', 'SECTION'],
  ])('%s is none’s', (name) => expect(isSecretValue(name, 'anything')).toBe(false));

  it('of a number or a switch is none’s, unless it is a password’s', () => {
    for (const value of ['512', 'true', '-1', 'auto', ''])
      expect(isSecretValue('PAD_TOKEN', value)).toBe(false);
    expect(isSecretValue('PASSWORD', '1234')).toBe(true);
  });

  it('may be the owner’s', () => {
    const own = ownNames(['MY_LICENCE', 'LDAP_*', '*_pin']);
    for (const name of ['my_licence', 'LDAP_BIND', 'CARD_PIN', '--my_licence']) {
      expect(isSecretValue(name, 'x', own)).toBe(true);
    }
    for (const name of ['MY_LICENCES', 'XLDAP_BIND', 'PINS'])
      expect(isSecretValue(name, 'x', own)).toBe(false);
  });
});

describe('a text', () => {
  const hex = '0123456789abcdef0123456789abcdef01234567';
  it.each([
    ['https://ada:pa@ss@host/x?mail=y@z', 'https://ada:[secret]@host/x?mail=y@z'],
    [
      'git clone https://abcdef@github.com/x git@github.com:y',
      'git clone https://[secret]@github.com/x git@github.com:y',
    ],
    [
      'HF_TOKEN=abc python t.py --api-key=X --token Y --lr 3',
      'HF_TOKEN=[secret] python t.py --api-key=[secret] --token [secret] --lr 3',
    ],
    ['{"api_key": "q r", "key": 0.5, "n": 1}', '{"api_key": "[secret]", "key": 0.5, "n": 1}'],
    ["KeyError: 'lr', unexpected key: layer1.weight", "KeyError: 'lr', unexpected key: layer1.weight"],
    ['Authorization: Bearer abcdefghijk', 'Authorization: Bearer [secret]'],
    ['sk-abcd1234abcd1234abcd, sk-learn-is-no-key-at-all', '[secret], sk-learn-is-no-key-at-all'],
    [`ghp_${'a1'.repeat(18)}|hf_${'a1'.repeat(17)}|AKIAIOSFODNN7EXAMPLE`, '[secret]|[secret]|[secret]'],
    [
      '--token [secret:1], [secret:12] and TOKEN=[secret]',
      '--token [secret:1], [secret:12] and TOKEN=[secret]',
    ],
    ['--password=p{s(s;w"d', '--password=[secret]'],
    [`wandb login ${hex}`, 'wandb login [secret]'],
    [`git checkout ${hex}`, `git checkout ${hex}`],
    ['export TOKEN=$HF_TOKEN; use --password $PW', 'export TOKEN=$HF_TOKEN; use --password $PW'],
    ['-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- x', '[secret] x'],
    ['epoch 3/90, loss: 0.25, tokens: 512', 'epoch 3/90, loss: 0.25, tokens: 512'],
  ])('%s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
    expect(withoutSecrets(shown)).toBe(shown);
  });

  it('of a million characters is gone through, whatever it is made of', () => {
    const pieces = [
      'eyJ',
      '://a:@',
      'key=',
      'K_KEY="',
      "A_KEY='",
      '--token ',
      '-----BEGIN PRIVATE KEY-----',
      'a.',
      'sk-',
    ];
    pieces.push(
      'eyJaaaaaaaaa.',
      '[secret:1',
      'wandb ',
      'Authorization: Bearer ',
      `${'A'.repeat(127)}_KEY `,
      'a',
      ':',
      ' ',
    );
    const own = ownNames(['FOO*', '*BAR', 'BAZ', '*QUX*']);
    for (const piece of pieces) {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
      expect(withoutSecrets(text, own).length).toBeGreaterThan(0);
    }
  });
});

it('arguments after a flag of that name are secrets', () => {
  const argv = [
    'python',
    '--token',
    'abc',
    '--password',
    '-x',
    'wandb',
    'login',
    '0a'.repeat(20),
    '--max-token',
    '5',
  ];
  expect([...secretArguments(argv)]).toEqual([2, 7]);
});

it('what is told of a wrong value has no secrets', () => {
  const text = JSON.stringify([
    showValue({ HF_TOKEN: 'hunter22', a: ['--token', 'hunter22', 'TOKEN=hunter22'] }),
    showValue('hunter22', 'env.HF_TOKEN'),
    new FieldError('--env', 'HF_TOKEN hunter22 --password=hunter22', 'give NAME=VALUE').message.replace(
      'HF_TOKEN hunter22',
      '',
    ),
  ]);
  expect(text).not.toContain('hunter22');
  expect(showValue('7', 'gpus')).toBe('"7"');
});

describe('a submission', () => {
  const spec = jobSpecSchema.parse({
    command: ['sh', '-c', 'curl -H "X: hunter22" https://u:pw@host', '--token', 'x', '{lr}'],
    cwd: '/',
    user: 'ada',
    name: 'with hunter22',
    env: { MY_TOKEN: 'hunter22', EMPTY_KEY: '', URL: 'redis://:hunter22@host', N_TOKEN: '5' },
  });

  it('is recorded without its secrets, and has them again when it runs', () => {
    const { jobs, values } = conceal([{ spec }]);
    const job = createJob(1, { kind: 'submitted', spec: jobs[0]!.spec }, 0);
    expect(JSON.stringify(job)).not.toMatch(/hunter22|:pw@/);
    expect(values.toSorted()).toEqual(['hunter22', 'pw', 'x']);
    expect(job.env).toMatchObject({
      EMPTY_KEY: '',
      N_TOKEN: '5',
      URL: expect.stringMatching(/^redis:\/\/:\[secret:\d\]@host$/),
    });
    expect(hasSecrets(job)).toBe(true);
    const back = revealed(job, values);
    expect(back).toMatchObject({ command: spec.command, env: spec.env, name: spec.name });
    expect(hasSecrets(back)).toBe(false);
    expect(hasSecrets(revealed(job, values.slice(1)))).toBe(true);
    expect(restored(jobs[0]!, values)).toEqual({ spec });
  });

  it('that has none stays as it is', () => {
    const plain = [{ spec: jobSpecSchema.parse({ command: ['true'], cwd: '/', user: 'a' }) }];
    expect(conceal(plain)).toEqual({ jobs: plain, values: [] });
  });

  it('shares what its jobs have in common', () => {
    const array = (index: number) => ({
      name: 'n',
      index,
      size: 2,
      atMost: null,
      values: { token: `hunter2${index}` },
    });
    const { jobs, values } = conceal([0, 1].map((index) => ({ spec, array: array(index) })));
    expect(values.toSorted()).toEqual(['hunter20', 'hunter21', 'hunter22', 'pw', 'x']);
    expect(jobs[1]!.array.values.token).toMatch(/^\[secret:\d\]$/);
  });

  it('is refused where a secret cannot be taken out', () => {
    const within = { ...spec, cwd: '/home/hunter22' };
    expect(() => conceal([{ spec: within }])).toThrow(/^cwd: .*choose another/);
    expect(conceal([{ spec: within }], null, false).jobs[0]!.spec.cwd).toBe('/home/hunter22');
    const many = {
      ...spec,
      env: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`T${i}_TOKEN`, `v${i}`])),
    };
    expect(() => conceal([{ spec: many }])).toThrow(/at most 1000 secrets/);
    // Marks are longer than these secrets.
    const long = { ...spec, command: ['x', 'a_key=b; '.repeat(14_000)] };
    expect(() => conceal([{ spec: long }])).toThrow(/^command.1: .*128 KiB/);
  });

  it('copied from what is shown gets its secrets only from the job that is named', () => {
    const { jobs, values } = conceal([{ spec }]);
    const copy = jobs[0]!.spec;
    expect(withSecretsOf(copy, values)).toEqual(spec);
    expect(() => withSecretsOf(copy, null)).toThrow(/^command.2: .*--secrets-from/);
    expect(() => withSecretsOf({ ...copy, command: ['true'] }, [])).toThrow(
      /^env.MY_TOKEN: .*no such secret/,
    );
    expect(() => withSecretsOf({ ...spec, command: ['echo', '[secret]'] }, null)).toThrow(/^command.1: /);
  });
});

describe('a file of variables', () => {
  it('is read as others read it', () => {
    const text = `# note\r\nA=1\nexport B = "x \\"y\\" # z"\nC='a $b'\n\nD=plain # note\nE=\nF=a#b\n`;
    expect(parseEnvFile(text, '--env-file')).toEqual({
      A: '1',
      B: 'x "y" # z',
      C: 'a $b',
      D: 'plain',
      E: '',
      F: 'a#b',
    });
  });

  it.each(['no sign', '1A=x', 'A="open', "A='x'y", '__proto__=1', '=x'])('is refused: %s', (line) => {
    expect(() => parseEnvFile(`OK=1\n${line}`, '--env-file')).toThrow(/^--env-file: "line 2" is not usable/);
  });
});
