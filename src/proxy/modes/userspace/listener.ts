/** One place a service port is served at: a local address and port. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  /** To be called after the endpoints changed. */
  changed(): void;
  /** Takes no new clients; with it end all that go on through this place. */
  close(): Promise<void>;
}
