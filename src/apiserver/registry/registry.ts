/** Every kind's objects: what all faces of the API server (HTTP, local client) read and write through. */
export interface Registry {
  revision(): number;
}
