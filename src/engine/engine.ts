import { availableParallelism, userInfo } from 'node:os';
import type { HostReading, JobView, SchedulerStatus, SystemInfo } from '../contract/messages.ts';
import { parseDeviceSpec } from '../domain/deviceSpec.ts';
import { messageOf, NotFoundError } from '../domain/errors.ts';
import { isLive, isTerminal, type Job } from '../domain/job.ts';
import { parsePolicyName } from '../domain/policyNames.ts';
import { DEFAULT_GOALS, goalWeightsSchema } from '../domain/reward.ts';
import { seededRng } from '../domain/rng.ts';
import { backendOf } from '../learning/backend.ts';
import { CodeRecorder } from './code/codeRecorder.ts';
import { Snapshots } from './code/snapshots.ts';
import { Cgroups } from './control/cgroups.ts';
import { CudaCheckpoint } from './control/cudaCheckpoint.ts';
import { heldRungs } from './control/heldRungs.ts';
import { Pauses } from './control/pauses.ts';
import { PowerLimits } from './control/powerLimits.ts';
import { rungsOf } from './control/rungsOf.ts';
import { Throttles } from './control/throttles.ts';
import { chooseProbe } from './devices/chooseProbe.ts';
import { DeviceRegistry } from './devices/deviceRegistry.ts';
import { EnergyMeter } from './devices/energyMeter.ts';
import { Faults } from './devices/faults.ts';
import { hostInfo } from './devices/hostInfo.ts';
import { ProcessOwners } from './devices/processOwners.ts';
import { watchDevices } from './devices/watchDevices.ts';
import { watchKernel } from './devices/watchKernel.ts';
import { Executors } from './executors/executors.ts';
import { thisMachine } from './executors/thisMachine.ts';
import { type DeskIdle, systemDesk } from './guards/deskIdle.ts';
import { Owner } from './guards/owner.ts';
import { Warden } from './guards/warden.ts';
import { yieldingOf } from './guards/yielding.ts';
import { homePaths, prepareHome } from './home.ts';
import { forgetSecrets, jobsOfSubmission } from './jobs/forgetSecrets.ts';
import { Holdings } from './jobs/holdings.ts';
import { Ledger } from './jobs/ledger.ts';
import { LogCap } from './jobs/logCap.ts';
import { MetricFollower } from './jobs/metricFollower.ts';
import { bootId } from './jobs/processes.ts';
import { Runner } from './jobs/runner.ts';
import { Secrets } from './jobs/secrets.ts';
import { SecretVault } from './jobs/secretVault.ts';
import { Templates } from './jobs/templates.ts';
import { Keeper } from './keeping/keeper.ts';
import { lockHome } from './lock.ts';
import { Notifier, type NotifierOptions } from './notify/notifier.ts';
import { TargetFiles } from './notify/targetFiles.ts';
import type { EngineParts } from './parts.ts';
import { type Clock, type Log, systemClock } from './ports.ts';
import { Brain } from './scheduling/brain.ts';
import { Durations, MOST_LEARNED } from './scheduling/durations.ts';
import { Episodes } from './scheduling/episodes.ts';
import { GoalsPreviews } from './scheduling/goalsPreviews.ts';
import { LabPrograms } from './scheduling/labPrograms.ts';
import { LearningBudget } from './scheduling/learningBudget.ts';
import type { PromotionOptions } from './scheduling/promotion.ts';
import { Replays } from './scheduling/replays.ts';
import { createScheduling, type Scheduling } from './scheduling/scheduling.ts';
import { MOST_REMEMBERED, ServiceHistory } from './scheduling/serviceHistory.ts';
import { Announcer } from './server/announcer.ts';
import { deputyNow } from './server/caller.ts';
import { createRouter, type EngineRouter } from './server/router.ts';
import { Tokens } from './server/tokens.ts';
import { WatchHub } from './server/watchHub.ts';
import { Interference } from './sharing/interference.ts';
import { MemoryModel } from './sharing/memoryModel.ts';
import { StrayWatch } from './sharing/strayWatch.ts';
import { openDatabase } from './store/database.ts';
import { OwnersChoice } from './store/ownersChoice.ts';
import { sweepSecrets } from './store/secretSweep.ts';
import { storesOf } from './store/stores.ts';
import { Tracer } from './traces/tracer.ts';
import { VERSION } from './version.ts';

export interface EngineOptions {
  /** See `resolveHome`. Made if need be. */
  readonly home: string;
  /** As `--devices` takes it; `auto` when left out. */
  readonly devices?: string | undefined;
  /** As `--policy` takes it; the last one chosen, else `dqn`, when left out. */
  readonly policy?: string | undefined;
  readonly log: Log;
  readonly clock?: Clock;
  /** What jobs inherit; this process's environment when left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** From SIGTERM to SIGKILL when a job is cancelled. */
  readonly graceMs?: number;
  /** Who sits at the desk; as the system says when left out. */
  readonly desk?: DeskIdle;
  /** Path of the shipped weights; this installation's when left out. */
  readonly shippedPolicy?: string;
  /** How often newly learned weights are judged, and on how much; as an owner needs it when left out. */
  readonly gate?: Pick<PromotionOptions, 'everySteps' | 'everyMs' | 'jobsPerWorld'>;
  /** How patient it is with those who are to be told something; as an owner needs it when left out. */
  readonly notify?: Pick<NotifierOptions, 'firstRetryMs' | 'timeoutMs'>;
}

export interface Engine {
  readonly router: EngineRouter;
  /** Who may speak to it over HTTP. */
  readonly tokens: Tokens;
  /** How things stand, in Prometheus' text format. */
  readonly scrape: () => Promise<string>;
  readonly home: string;
  /** Ends the engine and leaves every job running. */
  stop(): Promise<void>;
}

const DEFAULT_GRACE_MS = 10_000;
/** Of the last days' jobs, newly learned weights are tried on no more. */
const MOST_JUDGED_ON = 2000;

/**
 * The live world: one engine works on one home. It takes up the jobs that are there, and schedules from then on.
 * @throws {FieldError} for an option that makes no sense. @throws {UnavailableError} when the home is in use,
 * its database cannot be used, or the devices that were asked for are not there. Nothing was changed then.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { home, log } = options;
  const clock = options.clock ?? systemClock;
  const spec = parseDeviceSpec(options.devices ?? 'auto');
  const chosenPolicy = options.policy === undefined ? null : parsePolicyName(options.policy);
  const backend = backendOf(options.env ?? process.env);
  prepareHome(home);
  const paths = homePaths(home);
  // Undone in reverse order, by a failed start as by a stop.
  const undo: (() => void | Promise<void>)[] = [];
  const unwind = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    undo.push(lockHome(paths.lock, home));
    const db = openDatabase(paths.database);
    undo.push(() => void db.close());

    const stores = storesOf(db);
    const policy = chosenPolicy ?? parsePolicyName(stores.settings.get('policy') ?? 'dqn');

    const secrets = new Secrets({
      vault: new SecretVault(paths.secrets),
      rules: () => stores.rules.machine(),
    });
    sweepSecrets(db, secrets);
    const ledger = new Ledger(db, clock, secrets, deputyNow);
    undo.push(forgetSecrets({ secrets, ledger, clock, log }));
    const env = options.env ?? process.env;
    const code = new CodeRecorder({ ledger, store: stores.code, secrets, env, clock, log });
    undo.push(() => code.stop());
    const snapshots = new Snapshots({
      dir: paths.snapshots,
      env,
      rules: () => stores.rules.machine(),
      jobsOf: (id) => jobsOfSubmission(ledger, id),
      clock,
      log,
    });
    undo.push(() => snapshots.stop());
    const goals = new OwnersChoice(stores.settings, 'goals', goalWeightsSchema, DEFAULT_GOALS);
    const episodes = new Episodes(stores.episodes, () => goals.current);
    const cgroups = new Cgroups({ home, env });
    cgroups.sweep();
    undo.push(() => cgroups.sweep());
    const runner = new Runner({
      ledger,
      freezer: cgroups,
      faultOf: ({ devices, startedAtMs }) => {
        const fault = registry.faults.since(devices, startedAtMs ?? clock.nowMs());
        return fault === null ? undefined : { gpu: registry.get(fault.id)?.index ?? 0, code: fault.code };
      },
      runPath: paths.run,
      clock,
      log,
      env,
      reveal: (job) => secrets.reveal(job),
      directoryOf: (job) => snapshots.directoryOf(job),
      graceMs: options.graceMs ?? DEFAULT_GRACE_MS,
    });
    undo.push(() => runner.stop());
    const logCap = new LogCap({
      ledger,
      store: stores.logGaps,
      runOf: (job) => runner.runOf(job),
      rules: () => stores.rules.machine(),
      log,
    });
    undo.push(() => logCap.stop());
    const keeper = new Keeper({
      home,
      paths,
      ledger,
      gaps: stores.logGaps,
      snapshots,
      rules: () => stores.rules.machine(),
      capWorks: () => logCap.works,
      clock,
      log,
    });
    undo.push(() => keeper.stop());
    const { rules } = stores;
    const held = heldRungs({
      cgroups,
      power: new PowerLimits({ env, settings: stores.settings, log }),
      devices: () => registry.list(),
    });
    const throttles = new Throttles({ ledger, held, rules: () => rules.machine(), log });
    undo.push(() => throttles.stop());
    // Before anything is recovered, so that it hears of every launch.
    const metrics = new MetricFollower({
      ledger,
      store: stores.metrics,
      logPath: (job) => runner.runOf(job).logPath,
      clock,
      log,
    });
    undo.push(() => metrics.stop());

    // Comes once there is something to look after.
    let warden: Warden | null = null;
    rules.forgetOtherBoots(bootId());
    const owners = new ProcessOwners({
      live: () => ledger.live(),
      liveSeq: () => ledger.liveSeq,
      runsPath: paths.runs,
      monotonicMs: () => clock.monotonicMs(),
    });
    const memory = new MemoryModel({
      ledger,
      store: stores.sharing,
      mostMib: () => registry.largestMib,
      clock,
      log,
    });
    undo.push(() => memory.stop());
    const interference = new Interference({ ledger, store: stores.sharing, clock, log });
    undo.push(() => interference.stop());
    // What left its GPUs needs no room there until it goes on.
    const setAsideMib = (job: Job): number | null =>
      job.status === 'paused' && job.holdsVram === false ? 0 : memory.reservationMib(job);
    const holdings = new Holdings(ledger, (deviceId) => registry.memoryTotalMib(deviceId), setAsideMib);
    const chosen = await chooseProbe(spec, { usageOf: (deviceId) => holdings.usageOf(deviceId), clock });
    const registry: DeviceRegistry = new DeviceRegistry({
      probe: chosen.probe,
      faults: new Faults({ store: stores.faults, bootId: bootId(), log }),
      clock,
      log,
      holdersOf: (deviceId) => holdings.of(deviceId),
      owners,
      rulesOf: (deviceId) => rules.rulesOf(deviceId),
      standingOf: (deviceId) => ({
        closed: warden?.closedBy(deviceId) ?? null,
        yields: warden?.yieldsOf(deviceId) ?? null,
      }),
      isIgnored: (deviceId, process) => rules.isIgnored(deviceId, process),
      idle: rules,
    });
    undo.push(() => registry.stop());
    await registry.start();
    const { settings } = stores;
    undo.push(watchKernel({ env, registry, settings, bootId: bootId(), clock, log }));
    const atMs = clock.nowMs();
    for (const device of registry.list()) stores.devices.seen(device, atMs);

    const rng = seededRng(clock.nowMs());
    const durations = new Durations(stores.history.latest(MOST_LEARNED));
    const brain = new Brain({
      policy,
      stores,
      onTransition: () => episodes.count('transitions'),
      onLearned: (trainSteps, loss) => {
        try {
          const { agreement } = scheduling.status;
          stores.learningCurve.add({
            trainSteps,
            atMs: clock.nowMs(),
            loss,
            epsilon: brain.epsilon,
            agreement,
          });
        } catch (error) {
          log.warn('how learning goes could not be written', { error: messageOf(error) });
        }
      },
      gate: {
        recentJobs: (sinceMs) =>
          stores.history.jobs(sinceMs, Number.MAX_SAFE_INTEGER, MOST_JUDGED_ON, null).jobs,
        devicesMib: () => registry.list().map(({ memoryTotalMib }) => memoryTotalMib),
        ...options.gate,
      },
      clock,
      rng,
      log,
      ...(backend === undefined ? {} : { backend }),
      ...(options.shippedPolicy === undefined ? {} : { shippedPath: options.shippedPolicy }),
    });
    undo.push(() => brain.stop());
    const learning = new LearningBudget(stores.settings, (share) => brain.setLearningShare(share));
    await brain.load();
    // Kept once everything that may be refused is behind us.
    if (chosenPolicy !== null) stores.settings.set('policy', chosenPolicy);

    const announcer = new Announcer({ hub: () => hub, status: () => scheduler(), clock });
    const host = (): HostReading | null => announcer.host;
    const startedAtMs = clock.nowMs();
    const names = await hostInfo();
    const system = (): SystemInfo => ({
      ...names,
      version: VERSION,
      pid: process.pid,
      home,
      startedAtMs,
      probe: chosen.probe.kind,
      probeNote: registry.trouble ?? chosen.note,
      user: userInfo().username,
      defaultCwd: (options.env ?? process.env).HOME ?? '/',
    });
    const scheduler = (): SchedulerStatus => ({
      policy: brain.policy.name,
      policyVersion: brain.policy.version,
      heuristic: brain.heuristic.name,
      epsilon: brain.epsilon,
      goals: goals.current,
      ...scheduling.status,
      learner: { ...brain.learnerStatus, limits: learning.current, yields: learning.yields },
      promotion: brain.promotion.status,
      currentEpisode: episodes.current,
      durations: durations.calibration,
    });
    const view = (job: Job): JobView => ({
      ...job,
      waitingReason: scheduling.reasons.of(job),
      remaining: isTerminal(job.status) ? null : durations.tell(job, clock.nowMs()),
    });
    const hub: WatchHub = new WatchHub({
      lastSeq: () => ledger.seq,
      eventsAfter: (after, upTo, limit) => ledger.read.eventsAfter(after, upTo, limit),
      asMessage: (entry) => ({ type: 'event', seq: entry.seq, entry, job: view(ledger.get(entry.jobId)) }),
      greeting: () => [
        { type: 'reasons', reasons: scheduling.reasons.all() },
        { type: 'devices', devices: registry.list(), host: host() },
        { type: 'scheduler', scheduler: scheduler() },
      ],
    });
    const scheduling: Scheduling = createScheduling({
      ledger,
      runner,
      pauses: () => pauses,
      stores,
      episodes,
      brain,
      hub,
      devices: () => registry.list(),
      goals: () => goals.current,
      cpuSlots: availableParallelism(),
      guards: () => warden,
      reservationMib: setAsideMib,
      interference: () => interference.speeds,
      elsewhere: (job) => executors.whyWaiting(job),
      history: new ServiceHistory(stores.history.latest(MOST_REMEMBERED)),
      durations,
      clock,
      rng,
      log,
    });
    const { dispatcher } = scheduling;
    undo.push(() => {
      if (rules.machine().whenStopped === 'undo') runner.resumeAllBut('person');
    });
    undo.push(() => scheduling.stop());
    undo.push(() => hub.close());

    undo.push(
      ledger.onEvent((_entry, job, before) => {
        hub.eventsAppended();
        // Who holds a device has changed; its next reading may be a second away.
        if (hub.watched && before !== null && isLive(before.status) !== isLive(job.status)) {
          hub.publish({ type: 'devices', devices: registry.list(), host: host() });
        }
      }),
    );
    undo.push(watchDevices({ registry, dispatcher, hub, host, record: stores.devices, clock, log }));
    announcer.start();
    undo.push(() => announcer.stop());

    const cuda = new CudaCheckpoint(env);
    const pauses = new Pauses({
      ledger,
      runner,
      cgroups,
      cuda,
      devices: () => registry.list(),
      chosen: () => rules.machine().pauseBy,
      log,
    });
    undo.push(() => pauses.stop());
    runner.recover();
    throttles.recover();
    void pauses.recover();
    const tellRules = (): void => {
      hub.publish({ type: 'devices', devices: registry.list(), host: host() });
      dispatcher.request();
    };
    warden = new Warden({
      rules,
      devices: () => registry.list(),
      live: () => ledger.live(),
      yielding: yieldingOf(runner, throttles),
      faultOf: (deviceId) => registry.faults.closing(deviceId),
      desk: options.desk ?? systemDesk(options.env ?? process.env, () => clock.nowMs()),
      home,
      // Nobody is asked for who learns nothing at the moment.
      mindsDesk: () => learning.mindsOwner && ['starting', 'learning'].includes(brain.learnerStatus.state),
      clock,
      log,
      onChange: () => {
        learning.setPresent(guards.somebodyThere);
        tellRules();
      },
    });
    const guards: Warden = warden;
    undo.push(() => guards.stop());
    undo.push(registry.onChange(() => guards.judge()));
    const strays = new StrayWatch(ledger, log);
    const energy = new EnergyMeter({ live: () => ledger.live(), store: stores.energy, clock, log });
    undo.push(() => energy.write());
    undo.push(
      registry.onChange(() => {
        const devices = registry.list();
        memory.observe(devices);
        energy.observe(devices);
        strays.look(devices);
      }),
    );
    undo.push(
      ledger.onEvent(({ event, actor, jobId }) => {
        if (event.kind === 'resumed' && actor === 'person') guards.overrule(jobId);
      }),
    );
    const owner = new Owner({
      rules,
      registry,
      clock,
      onChange: () => {
        guards.judge();
        tellRules();
      },
    });
    const executors: Executors = new Executors({
      here: thisMachine({ ledger, runner, people: scheduling.people, pauses, throttles }),
      store: stores.executors,
      settings: stores.settings,
      home,
      runPath: paths.run,
      ledger,
      readiness: scheduling.gate,
      reveal: (job) => secrets.reveal(job),
      env,
      user: userInfo().username,
      order: (jobs) => scheduling.orderElsewhere(jobs),
      mode: () => scheduling.adviser.mode,
      onReasons: () => scheduling.reasons.changed(),
      clock,
      log,
    });
    undo.push(() => executors.stop());
    executors.start();
    dispatcher.request();
    const templates = new Templates(stores.templates, secrets, clock);
    const tokens = new Tokens(stores.tokens, clock);
    const notifier = new Notifier({
      ledger,
      store: stores.notify,
      targets: new TargetFiles(paths.notify),
      clock,
      log,
      ...options.notify,
    });
    undo.push(() => notifier.stop());
    notifier.start();
    undo.push(registry.onChange(() => notifier.observe(registry.list())));
    const tracer = new Tracer({
      ledger,
      settings: stores.settings,
      url: () => rules.machine().tracesUrl,
      log,
      ...options.notify,
    });
    undo.push(() => tracer.stop());
    tracer.start();
    const programs = new LabPrograms();
    undo.push(() => programs.stop());
    const goalsPreviews = new GoalsPreviews({
      programs,
      goals: () => goals.current,
      acting: () => brain.acting,
      history: stores.history,
      devicesMib: () => registry.list().map(({ memoryTotalMib }) => memoryTotalMib),
    });
    const replays = new Replays({
      programs,
      history: stores.history,
      open: () => ledger.inOrder(),
      devices: () => registry.list().filter(({ health }) => health !== 'gone'),
    });
    const parts: EngineParts = {
      clock,
      log,
      env,
      ledger,
      runner,
      secrets,
      executors,
      code,
      snapshots,
      keeper,
      rungs: () => rungsOf({ cgroups, cuda, held }),
      scheduling,
      brain,
      episodes,
      goals,
      goalsPreviews,
      replays,
      learning,
      hub,
      owner,
      memory,
      interference,
      templates,
      tokens,
      notifier,
      tracer,
      stores,
      devices: () => registry.list(),
      focus: (deviceIds, sinceMs, forMs) => {
        const unknown = deviceIds.find((id) => !registry.knows(id));
        if (unknown !== undefined)
          throw new NotFoundError('device', unknown, 'stint devices shows those that there are');
        return registry.focus.lease(deviceIds, sinceMs, forMs);
      },
      host,
      system,
      scheduler,
      view,
    };
    // Loaded by the first scrape: most engines never see one.
    let exposed: (() => Promise<string>) | null = null;
    const scrape = async (): Promise<string> => {
      exposed ??= (await import('./server/exposition.ts')).exposition(parts);
      return exposed();
    };
    return { router: createRouter(parts), tokens, scrape, home, stop: unwind };
  } catch (error) {
    await unwind();
    throw error;
  }
}
