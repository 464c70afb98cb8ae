/** How one probe or hook went. */
export interface CheckResult {
  readonly ok: boolean;
  /** Why not, or what was answered; for Events. */
  readonly message: string;
}
