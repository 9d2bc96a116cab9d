/**
 * The pure layers see neither DOM nor Node types. This is the one platform object that the contract names, as
 * far as it needs it; where a platform is present, this merges with the platform's own.
 */
interface AbortSignal {
  readonly aborted: boolean;
}
