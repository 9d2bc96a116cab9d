import type { Allocation, Overview } from '../../../contract/messages.ts';
import { isLive } from '../../../domain/job.ts';
import type { EngineParts } from '../../parts.ts';
import { dueSweep } from '../../store/secretSweep.ts';
import type { Implementer } from './base.ts';

/** Of the jobs that are over, so many are part of the overview. */
const RECENT_JOBS = 100;

export function machineHandlers(os: Implementer, parts: EngineParts) {
  return {
    system: os.system.router({
      info: os.system.info.handler(() => parts.system()),
      rungs: os.system.rungs.handler(() => parts.rungs()),
      // Loaded when somebody asks: most engines never see one.
      doctor: os.system.doctor.handler(async () => {
        const { examine } = await import('../../doctor/examine.ts');
        const { home, probe, probeNote: note } = parts.system();
        const engine = {
          probe,
          note,
          devices: parts.devices(),
          scheduler: parts.scheduler(),
          connections: () => [...parts.tracer.findings(), ...parts.executors.findings()],
        };
        return examine({ home, env: parts.env, nowMs: parts.clock.nowMs(), rungs: parts.rungs, engine });
      }),
      overview: os.system.overview.handler(({ input }) => overview(parts, input?.waiting)),
    }),
    watch: os.watch.handler(({ input, signal }) => parts.hub.watch(input.since, signal)),
    devices: os.devices.router({
      list: os.devices.list.handler(() => parts.devices()),
      samples: os.devices.samples.handler(({ input }) =>
        parts.stores.devices
          .samples(input.sinceMs, parts.clock.nowMs(), input.toMs)
          .filter(({ deviceId }) => input.ids?.includes(deviceId) ?? true),
      ),
      focus: os.devices.focus.handler(({ input: { ids, sinceMs, leaseMs } }) =>
        parts.focus(ids, sinceMs, leaseMs),
      ),
      setRules: os.devices.setRules.handler(({ input }) => parts.owner.setRules(input.id, input.rules)),
      ignore: os.devices.ignore.handler(({ input }) => parts.owner.ignore(input.id, input.pid, input.on)),
      reopen: os.devices.reopen.handler(({ input }) => parts.owner.reopen(input.id)),
      reserve: os.devices.reserve.handler(({ input: { id, ...rest } }) =>
        parts.owner.reserve({ deviceId: id, ...rest }),
      ),
      reservations: os.devices.reservations.handler(() => parts.owner.reservations()),
      unreserve: os.devices.unreserve.handler(({ input }) => parts.owner.unreserve(input.id)),
      allocations: os.devices.allocations.handler(({ input }) => allocations(input.sinceMs, parts)),
    }),
    settings: os.settings.router({
      get: os.settings.get.handler(() => parts.owner.machine()),
      set: os.settings.set.handler(({ input: { rules } }) => {
        const before = parts.owner.machine().secretNames;
        if (rules.secretNames !== undefined && String(rules.secretNames) !== String(before))
          dueSweep(parts.stores.settings);
        return parts.owner.setMachine(rules);
      }),
    }),
  };
}

function overview(parts: EngineParts, most = Number.POSITIVE_INFINITY): Overview {
  const { ledger } = parts;
  let waiting = 0;
  const current = ledger.inOrder().filter(({ status }) => isLive(status) || ++waiting <= most);
  const jobs = [...current, ...ledger.read.finished(RECENT_JOBS, 0)];
  return {
    seq: ledger.seq,
    nowMs: parts.clock.nowMs(),
    system: parts.system(),
    jobs: jobs.map(parts.view),
    left: Math.max(0, waiting - most),
    devices: parts.devices(),
    scheduler: parts.scheduler(),
    host: parts.host(),
  };
}

function allocations(sinceMs: number, { ledger }: EngineParts): Allocation[] {
  return ledger.read.allocations(sinceMs).map((stretch) => {
    const { name, project, user, status } = ledger.get(stretch.jobId);
    return { ...stretch, name, project, user, status };
  });
}
