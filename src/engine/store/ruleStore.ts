import {
  DEFAULT_RULES,
  type DeviceRules,
  deviceRulesSchema,
  type IgnoredProcess,
  type Reservation,
  reservationSchema,
} from '../../domain/deviceRules.ts';
import type { ProcessIdentity } from '../../domain/job.ts';
import { DEFAULT_MACHINE_RULES, type MachineRules, machineRulesSchema } from '../../domain/machineRules.ts';
import type { Database } from './database.ts';

const MACHINE_KEY = 'machine-rules';

interface ReservationRow {
  readonly id: number;
  readonly device_id: string;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly user: string;
  readonly others: string;
}

/** What the owner wants of devices and machine. Small, and asked for at every look: kept in memory, written first. */
export function ruleStore(db: Database) {
  const rules = new Map<string, DeviceRules>();
  for (const { device_id, body } of db
    .prepare<[], { device_id: string; body: string }>('SELECT * FROM device_rules')
    .iterate()) {
    // What an older Stint did not know has its default.
    rules.set(device_id, deviceRulesSchema.parse({ ...DEFAULT_RULES, ...JSON.parse(body) }));
  }
  const setRules = db.prepare<[string, string]>(
    'INSERT INTO device_rules VALUES (?, ?) ON CONFLICT (device_id) DO UPDATE SET body = excluded.body',
  );

  const ignoredKey = (deviceId: string, { pid, startTime, bootId }: ProcessIdentity): string =>
    `${deviceId} ${pid} ${startTime} ${bootId}`;
  const ignored = new Set<string>();
  for (const row of db
    .prepare<[], { device_id: string; pid: number; start_time: string; boot_id: string }>(
      'SELECT device_id, pid, start_time, boot_id FROM ignored_processes',
    )
    .iterate()) {
    ignored.add(ignoredKey(row.device_id, { pid: row.pid, startTime: row.start_time, bootId: row.boot_id }));
  }
  const addIgnored = db.prepare<[string, number, string, string, string | null]>(
    'INSERT OR REPLACE INTO ignored_processes VALUES (?, ?, ?, ?, ?)',
  );
  const dropIgnored = db.prepare<[string, number, string, string]>(
    'DELETE FROM ignored_processes WHERE device_id = ? AND pid = ? AND start_time = ? AND boot_id = ?',
  );
  // Of another boot, so that they name nobody.
  const dropOldIgnored = db.prepare<[string]>('DELETE FROM ignored_processes WHERE boot_id <> ?');
  const dropOldIdle = db.prepare<[string]>('DELETE FROM idle_processes WHERE boot_id <> ?');

  const allReservations = db.prepare<[], ReservationRow>(
    'SELECT * FROM device_reservations ORDER BY from_ms, id',
  );
  const addReservation = db.prepare<[string, number, number, string, string]>(
    'INSERT INTO device_reservations (device_id, from_ms, to_ms, user, others) VALUES (?, ?, ?, ?, ?)',
  );
  const dropReservation = db.prepare<[number]>('DELETE FROM device_reservations WHERE id = ?');
  let reservations: readonly Reservation[] = readReservations();
  function readReservations(): readonly Reservation[] {
    return allReservations.all().map((row) =>
      reservationSchema.parse({
        id: row.id,
        deviceId: row.device_id,
        fromMs: row.from_ms,
        toMs: row.to_ms,
        user: row.user,
        others: row.others,
      }),
    );
  }

  const readMachine = db.prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?');
  const writeMachine = db.prepare<[string, string]>(
    'INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const machineText = readMachine.get(MACHINE_KEY)?.value;
  let machine: MachineRules =
    machineText === undefined
      ? DEFAULT_MACHINE_RULES
      : machineRulesSchema.parse({ ...DEFAULT_MACHINE_RULES, ...JSON.parse(machineText) });

  const readIdle = db.prepare<[number, string, string], { since_ms: number; cpu_s: number }>(
    'SELECT since_ms, cpu_s FROM idle_processes WHERE pid = ? AND start_time = ? AND boot_id = ?',
  );
  const writeIdle = db.prepare<[number, string, string, number, number]>(
    'INSERT OR REPLACE INTO idle_processes VALUES (?, ?, ?, ?, ?)',
  );
  const dropIdle = db.prepare<[number, string, string]>(
    'DELETE FROM idle_processes WHERE pid = ? AND start_time = ? AND boot_id = ?',
  );

  return {
    rulesOf: (deviceId: string): DeviceRules => rules.get(deviceId) ?? DEFAULT_RULES,
    setRules(deviceId: string, next: DeviceRules): void {
      setRules.run(deviceId, JSON.stringify(next));
      rules.set(deviceId, next);
    },
    isIgnored: (deviceId: string, process: ProcessIdentity): boolean =>
      ignored.has(ignoredKey(deviceId, process)),
    ignore({ deviceId, pid, startTime, bootId, command }: IgnoredProcess, on: boolean): void {
      if (on) addIgnored.run(deviceId, pid, startTime, bootId, command);
      else dropIgnored.run(deviceId, pid, startTime, bootId);
      const key = ignoredKey(deviceId, { pid, startTime, bootId });
      if (on) ignored.add(key);
      else ignored.delete(key);
    },
    /** Forgets what was said of processes before the machine restarted. */
    forgetOtherBoots(bootId: string): void {
      dropOldIgnored.run(bootId);
      dropOldIdle.run(bootId);
    },
    /** By their beginning, those that are over included until somebody removes them or a new one is made. */
    reservations: (): readonly Reservation[] => reservations,
    /** Reservations that are over are forgotten with it. */
    reserve({ deviceId, fromMs, toMs, user, others }: Omit<Reservation, 'id'>, nowMs: number): Reservation {
      const id = db.transaction(() => {
        for (const old of reservations) if (old.toMs <= nowMs) dropReservation.run(old.id);
        return Number(addReservation.run(deviceId, fromMs, toMs, user, others).lastInsertRowid);
      })();
      reservations = readReservations();
      return reservations.find((one) => one.id === id)!;
    },
    /** False: there is none of that id. */
    unreserve(id: number): boolean {
      const found = dropReservation.run(id).changes > 0;
      reservations = readReservations();
      return found;
    },
    machine: (): MachineRules => machine,
    setMachine(next: MachineRules): void {
      writeMachine.run(MACHINE_KEY, JSON.stringify(next));
      machine = next;
    },
    /** Since when a process has been idle, and what it had worked by then; null: it was not when last seen. */
    idleOf({ pid, startTime, bootId }: ProcessIdentity): { sinceMs: number; cpuS: number } | null {
      const row = readIdle.get(pid, startTime, bootId);
      return row === undefined ? null : { sinceMs: row.since_ms, cpuS: row.cpu_s };
    },
    setIdle(
      { pid, startTime, bootId }: ProcessIdentity,
      idle: { sinceMs: number; cpuS: number } | null,
    ): void {
      if (idle === null) dropIdle.run(pid, startTime, bootId);
      else writeIdle.run(pid, startTime, bootId, Math.round(idle.sinceMs), idle.cpuS);
    },
  };
}
export type RuleStore = ReturnType<typeof ruleStore>;
