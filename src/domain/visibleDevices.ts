/** Ids of AMD's GPUs: the serial number of 16 digits (`AMD-1a2b3c4d5e6f7081`), or the place on the bus (`AMD-0`). */
const AMD = /^AMD-(.+)$/;

/**
 * Variables that show a job the devices that it was given and no others. NVIDIA's are named by UUID, in the order of the PCI
 * bus. AMD's are named for the runtime under HIP (`ROCR_VISIBLE_DEVICES`: `GPU-` and the serial number, or an index),
 * which numbers them anew for what is above it; HIP would take the names of CUDA's variable for its own, so it has none.
 * null: the variable must not be set.
 */
export function visibleDevices(ids: readonly string[]): Readonly<Record<string, string | null>> {
  const cards = ids.map((id) => AMD.exec(id)?.[1]);
  const named = cards.flatMap((card) =>
    card === undefined ? [] : card.length > 4 ? [`GPU-${card}`] : [card],
  );
  const cuda = { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: ids.join(',') };
  if (ids.length > 0 && named.length === 0) return cuda;
  const amd = { ROCR_VISIBLE_DEVICES: named.join(','), HIP_VISIBLE_DEVICES: null };
  return named.length === 0 ? { ...cuda, ...amd } : { ...amd, CUDA_VISIBLE_DEVICES: null };
}
