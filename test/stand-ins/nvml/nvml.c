/*
 * A stand-in for NVIDIA's libnvidia-ml.so.1, with the binary interface of nvml.h (API 11 to 13) for the calls
 * that Stint makes. What it answers is in the text file that STINT_STANDIN_NVML names, one setting a line, read
 * again whenever the file changes:
 *
 *   count N                 devices listed (default 1)
 *   init CODE               nvmlInit answers CODE
 *   error CODE              every call but nvmlInit answers CODE (1: driver reloaded, 18: version mismatch)
 *   hang                    every call blocks for as long as the line is there; the first to do so makes a
 *                           file of the same name with `.hung` at its end
 *   I.error CODE            every reading of device I answers CODE (15: GPU lost)
 *   I.unopened CODE         device I has no handle
 *   I.without CALL          CALL (memory, utilisation, temperature, power, limit, clock, processes) answers
 *                           NVML_ERROR_NOT_SUPPORTED
 *   I.uuid TEXT, I.name TEXT
 *   I.bus N                 PCI bus (default I + 1)
 *   I.total MIB, I.used MIB, I.reserved MIB, I.utilisation PERCENT, I.temperature C, I.power MILLIWATTS,
 *   I.limit MILLIWATTS, I.clock MHZ
 *   I.mig N                 device I is divided into N instances of MIG; I.K.compute PID MIB: a process on the Kth
 *   I.xid CODE              the driver reports this Xid of device I, once for each change of the file
 *   I.compute PID MIB|unknown, I.graphics PID MIB|unknown       one process each
 *
 * Compiled with -DOLD_DRIVER the process lists have the names of the drivers before 510 (_v2).
 *
 * What it does not imitate: the profiles of MIG, vGPU, permissions, accounting, events other than Xid, waiting for one; the time that real calls take; a call
 * that hangs in the kernel, where no signal reaches it (here SIGKILL does); a device list that stays as it was
 * at nvmlInit (here it follows the file at once).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7 };

typedef int nvmlReturn_t;
typedef struct nvmlDevice_st *nvmlDevice_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
typedef struct {
  unsigned int pid;
  unsigned long long usedGpuMemory;
  unsigned int gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;
typedef struct {
  char busIdLegacy[16];
  unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;
_Static_assert(sizeof(nvmlMemory_t) == 24, "nvmlMemory_t");
_Static_assert(sizeof(nvmlProcessInfo_t) == 24, "nvmlProcessInfo_t");
_Static_assert(sizeof(nvmlPciInfo_t) == 68, "nvmlPciInfo_t");

static char *control;
/* Devices whose Xid of this reading of the file was told already, a bit each. */
static unsigned long long told;
static struct timespec control_time;
static ino_t control_inode;

/* Reads the control file if it is not the one read last. */
static void refresh(void) {
  const char *path = getenv("STINT_STANDIN_NVML");
  struct stat now;
  if (path == NULL || stat(path, &now) != 0) {
    if (control == NULL) control = strdup("\n");
    return;
  }
  if (control != NULL && now.st_ino == control_inode && now.st_mtim.tv_sec == control_time.tv_sec &&
      now.st_mtim.tv_nsec == control_time.tv_nsec)
    return;
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  char *text = calloc(1, (size_t)now.st_size + 3);
  text[0] = '\n';
  size_t n = fread(text + 1, 1, (size_t)now.st_size, file);
  text[n + 1] = '\n';
  fclose(file);
  free(control);
  control = text;
  control_inode = now.st_ino;
  told = 0;
  control_time = now.st_mtim;
}

/* The value of a setting (the `skip`th of that name), up to the end of its line; NULL where it is not given. */
static const char *setting(const char *name, int skip, char *value, size_t size) {
  char key[96];
  int length = snprintf(key, sizeof key, "\n%s", name);
  for (const char *at = control; (at = strstr(at, key)) != NULL; at += length) {
    const char *rest = at + length;
    if (*rest != ' ' && *rest != '\n') continue;
    if (skip-- > 0) continue;
    if (*rest == ' ') rest++;
    size_t n = strcspn(rest, "\n");
    if (n >= size) n = size - 1;
    memcpy(value, rest, n);
    value[n] = 0;
    return value;
  }
  return NULL;
}

static const char *device_setting(unsigned i, const char *name, int skip, char *value, size_t size) {
  char key[64];
  snprintf(key, sizeof key, "%u.%s", i, name);
  return setting(key, skip, value, size);
}

static unsigned long long number(unsigned i, const char *name, unsigned long long fallback) {
  char value[64];
  return device_setting(i, name, 0, value, sizeof value) ? strtoull(value, NULL, 10) : fallback;
}

static nvmlReturn_t enter(int init) {
  char value[64];
  refresh();
  while (setting("hang", 0, value, sizeof value) != NULL) {
    char mark[4096];
    snprintf(mark, sizeof mark, "%s.hung", getenv("STINT_STANDIN_NVML"));
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    usleep(20000);
    refresh();
  }
  return setting(init ? "init" : "error", 0, value, sizeof value) ? atoi(value) : SUCCESS;
}

static unsigned device_count(void) {
  char value[64];
  return setting("count", 0, value, sizeof value) ? (unsigned)atoi(value) : 1;
}

/* Handles are the index plus one. */
/* Those of an instance of MIG come after all of them, eight for each device. */
enum { FIRST_MIG = 1000 };
static int is_mig(nvmlDevice_t device) { return (size_t)device >= FIRST_MIG; }
static unsigned instance_of(nvmlDevice_t device) { return (unsigned)((size_t)device - FIRST_MIG) % 8; }
static unsigned index_of(nvmlDevice_t device) {
  return (unsigned)(is_mig(device) ? ((size_t)device - FIRST_MIG) / 8 : (size_t)device - 1);
}

/* What a reading `call` of a device answers before it answers anything else. */
static nvmlReturn_t reading(nvmlDevice_t device, const char *call) {
  char value[64];
  nvmlReturn_t code = enter(0);
  if (code != SUCCESS) return code;
  unsigned i = index_of(device);
  if (device_setting(i, "error", 0, value, sizeof value)) return atoi(value);
  if (is_mig(device) && strcmp(call, "memory") != 0 && strcmp(call, "processes") != 0) return NOT_SUPPORTED;
  for (int n = 0; device_setting(i, "without", n, value, sizeof value); n++)
    if (strcmp(value, call) == 0) return NOT_SUPPORTED;
  return SUCCESS;
}

EXPORT nvmlReturn_t nvmlInit_v2(void) { return enter(1); }

EXPORT nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
  nvmlReturn_t code = enter(0);
  if (code == SUCCESS) *count = device_count();
  return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
  char value[64];
  nvmlReturn_t code = enter(0);
  if (code != SUCCESS) return code;
  if (index >= device_count()) return INVALID_ARGUMENT;
  if (device_setting(index, "unopened", 0, value, sizeof value)) return atoi(value);
  *device = (nvmlDevice_t)((size_t)index + 1);
  return SUCCESS;
}

static nvmlReturn_t put_text(nvmlDevice_t device, const char *name, const char *fallback, char *out,
                             unsigned int length) {
  char value[96], made[96];
  nvmlReturn_t code = enter(0);
  if (code != SUCCESS) return code;
  snprintf(made, sizeof made, fallback, index_of(device));
  const char *given = device_setting(index_of(device), name, 0, value, sizeof value);
  const char *answer = given ? given : made;
  if (strlen(answer) + 1 > length) return INSUFFICIENT_SIZE;
  strcpy(out, answer);
  return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
  if (is_mig(device)) {
    snprintf(uuid, length, "MIG-57a9d1e0-0000-4000-8000-%06u%06u", index_of(device), instance_of(device));
    return SUCCESS;
  }
  return put_text(device, "uuid", "GPU-57a9d1e0-0000-4000-8000-%012u", uuid, length);
}

EXPORT nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
  return put_text(device, "name", "Stand-in GPU %u", name, length);
}

EXPORT nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
  nvmlReturn_t code = enter(0);
  if (code != SUCCESS) return code;
  memset(pci, 0, sizeof *pci);
  pci->bus = (unsigned)number(index_of(device), "bus", index_of(device) + 1);
  snprintf(pci->busId, sizeof pci->busId, "%08X:%02X:00.0", 0u, pci->bus & 0xff);
  snprintf(pci->busIdLegacy, sizeof pci->busIdLegacy, "%04X:%02X:00.0", 0u, pci->bus & 0xff);
  return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  nvmlReturn_t code = reading(device, "memory");
  if (code != SUCCESS) return code;
  unsigned i = index_of(device);
  memory->total = number(i, "total", 24576) << 20;
  if (is_mig(device)) {
    memory->total /= 8;
    memory->free = memory->total;
    memory->used = 0;
    return SUCCESS;
  }
  memory->used = (number(i, "used", 0) + number(i, "reserved", 0)) << 20;
  memory->free = memory->total - memory->used;
  return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *out) {
  nvmlReturn_t code = reading(device, "utilisation");
  if (code != SUCCESS) return code;
  out->gpu = (unsigned)number(index_of(device), "utilisation", 0);
  out->memory = out->gpu / 2;
  return SUCCESS;
}

static nvmlReturn_t put_word(nvmlDevice_t device, const char *name, unsigned int fallback, unsigned int *out) {
  nvmlReturn_t code = reading(device, name);
  if (code == SUCCESS) *out = (unsigned)number(index_of(device), name, fallback);
  return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned int *celsius) {
  return sensor == 0 ? put_word(device, "temperature", 40, celsius) : INVALID_ARGUMENT;
}

EXPORT nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts) {
  return put_word(device, "power", 25000, milliwatts);
}

EXPORT nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *milliwatts) {
  return put_word(device, "limit", 350000, milliwatts);
}

EXPORT nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int type, unsigned int *mhz) {
  return type == 1 ? put_word(device, "clock", 210, mhz) : INVALID_ARGUMENT;
}

static nvmlReturn_t list(nvmlDevice_t device, const char *kind, unsigned int *count, nvmlProcessInfo_t *infos) {
  char value[64], memory[32];
  nvmlReturn_t code = reading(device, "processes");
  if (code != SUCCESS) return code;
  unsigned int n = 0, room = *count, pid;
  char own[32];
  if (is_mig(device)) {
    snprintf(own, sizeof own, "%u.%s", instance_of(device), kind);
    kind = own;
  }
  for (; device_setting(index_of(device), kind, (int)n, value, sizeof value); n++) {
    if (n >= room || sscanf(value, "%u %31s", &pid, memory) != 2) continue;
    infos[n].pid = pid;
    infos[n].usedGpuMemory =
        strcmp(memory, "unknown") == 0 ? 0xffffffffffffffffULL : strtoull(memory, NULL, 10) << 20;
    infos[n].gpuInstanceId = infos[n].computeInstanceId = 0xffffffffu;
  }
  *count = n;
  return n > room ? INSUFFICIENT_SIZE : SUCCESS;
}

#ifdef OLD_DRIVER
#define nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetComputeRunningProcesses_v2
#define nvmlDeviceGetGraphicsRunningProcesses_v3 nvmlDeviceGetGraphicsRunningProcesses_v2
#endif

EXPORT nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                            nvmlProcessInfo_t *infos) {
  return list(device, "compute", count, infos);
}

EXPORT nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                             nvmlProcessInfo_t *infos) {
  return list(device, "graphics", count, infos);
}

EXPORT nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
  nvmlReturn_t code = enter(0);
  if (code == SUCCESS) *current = *pending = number(index_of(device), "mig", 99) != 99;
  return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
  (void)device;
  *count = 7;
  return enter(0);
}

EXPORT nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *mig) {
  nvmlReturn_t code = enter(0);
  if (code != SUCCESS) return code;
  if (index >= number(index_of(device), "mig", 0)) return 6; /* not found */
  *mig = (nvmlDevice_t)((size_t)FIRST_MIG + 8 * index_of(device) + index);
  return SUCCESS;
}

typedef struct nvmlEventSet_st *nvmlEventSet_t;
typedef struct {
  nvmlDevice_t device;
  unsigned long long eventType, eventData;
  unsigned int gpuInstanceId, computeInstanceId;
} nvmlEventData_t;
_Static_assert(sizeof(nvmlEventData_t) == 32, "nvmlEventData_t");
enum { XID = 8, TIMEOUT = 10 };
static unsigned long long registered;

EXPORT nvmlReturn_t nvmlEventSetCreate(nvmlEventSet_t *set) {
  nvmlReturn_t code = enter(0);
  if (code == SUCCESS) *set = (nvmlEventSet_t)&registered;
  return code;
}

EXPORT nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, nvmlEventSet_t set) {
  nvmlReturn_t code = enter(0);
  if (code != SUCCESS) return code;
  if (set != (nvmlEventSet_t)&registered || types != XID) return INVALID_ARGUMENT;
  registered |= 1ULL << index_of(device);
  return SUCCESS;
}

EXPORT nvmlReturn_t nvmlEventSetWait_v2(nvmlEventSet_t set, nvmlEventData_t *data, unsigned int milliseconds) {
  nvmlReturn_t code = enter(0);
  if (code != SUCCESS) return code;
  if (set != (nvmlEventSet_t)&registered || milliseconds != 0) return INVALID_ARGUMENT;
  for (unsigned i = 0; i < device_count() && i < 64; i++) {
    unsigned long long bit = 1ULL << i, xid = number(i, "xid", 0);
    if (xid == 0 || (told & bit) || !(registered & bit)) continue;
    told |= bit;
    memset(data, 0, sizeof *data);
    data->device = (nvmlDevice_t)((size_t)i + 1);
    data->eventType = XID;
    data->eventData = xid;
    return SUCCESS;
  }
  return TIMEOUT;
}
