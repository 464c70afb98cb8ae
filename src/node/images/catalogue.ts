import { repositoryOf } from "./name.ts";
import { nginx } from "./nginx.ts";
import { placeOf, plainProcess, type Recipe } from "./recipe.ts";

const shell = (names: readonly string[], program: "bash" | "sh"): Recipe => ({
  names,
  summary: `a shell (${program}) with the programs of this machine`,
  needs: [],
  compile: () => ({ ...plainProcess, command: [program] }),
});

/**
 * Every image that can be run without a `command`, in the order of the reference page. An image name is a name for a
 * way to run programs of this machine: nothing is ever pulled.
 */
export const catalogue: readonly Recipe[] = [
  {
    names: ["fairlead/echo"],
    summary: "answers with the request it got: HTTP on TCP ports (raw echo when named tcp or tcp-…), echo on UDP ports",
    needs: [],
    compile({ ports }) {
      const listens = ports.map(({ name = "", containerPort, protocol }) => {
        const kind = protocol === "UDP" ? "udp" : /^tcp(-|$)/.test(name) ? "tcp" : "http";
        return `${kind}:${containerPort}`;
      });
      const program = [placeOf.node, placeOf.echo];
      const command = listens.length === 0 ? ["http:8080"] : listens;
      return { ...plainProcess, entrypoint: program, command, uses: ["node", "echo"] };
    },
  },
  nginx,
  {
    names: ["httpd"],
    summary: "busybox httpd on port 80, pages from /usr/local/apache2/htdocs",
    needs: [{ program: "busybox", package: "busybox-static" }],
    compile: () => ({
      ...plainProcess,
      command: ["busybox", "httpd", "-f", "-v", "-p", "80", "-h", "/usr/local/apache2/htdocs"],
      files: [{ path: "/usr/local/apache2/htdocs/index.html", text: "<html><body><h1>It works!</h1></body></html>\n" }],
    }),
  },
  {
    names: ["redis", "valkey/valkey"],
    summary: "the machine's redis-server on port 6379, nothing saved",
    needs: [{ program: "redis-server", package: "redis-server" }],
    compile: () => ({
      ...plainProcess,
      command: ["redis-server", "--bind", "*", "-::*", "--protected-mode", "no", "--save", "", "--dir", "/tmp"],
    }),
  },
  {
    names: ["mysql", "mariadb"],
    summary: "the machine's mariadbd on port 3306, with an empty database and a root user without password",
    needs: [
      { program: "mariadbd", package: "mariadb-server-core" },
      { program: "mariadb-install-db", package: "mariadb-server-core" },
    ],
    compile: () => ({
      ...plainProcess,
      command: [
        "sh",
        "-c",
        "[ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=root --datadir=/var/lib/mysql >&2; " +
          "exec mariadbd --user=root --datadir=/var/lib/mysql --socket=/tmp/mysql.sock --bind-address=*",
      ],
    }),
  },
  {
    names: ["tomcat"],
    summary: "the machine's Tomcat on port 8080",
    needs: [{ program: "catalina.sh", package: "tomcat10" }],
    compile: () => ({ ...plainProcess, command: ["catalina.sh", "run"] }),
  },
  {
    names: ["busybox"],
    summary: "busybox and all its applets; runs sh",
    needs: [{ program: "busybox", package: "busybox-static" }],
    compile: () => ({ ...plainProcess, command: ["sh"], uses: ["busybox"] }),
  },
  shell(["debian", "ubuntu", "fedora", "centos", "nicolaka/netshoot", "e2e-test-images/jessie-dnsutils"], "bash"),
  shell(["alpine"], "sh"),
  {
    names: ["curlimages/curl", "curl"],
    summary: "the machine's curl",
    needs: [{ program: "curl", package: "curl" }],
    compile: () => ({ ...plainProcess, entrypoint: ["curl"], command: ["--help"] }),
  },
  {
    names: ["python"],
    summary: "the machine's python3",
    needs: [{ program: "python3", package: "python3-minimal" }],
    compile: () => ({ ...plainProcess, command: ["python3"] }),
  },
  {
    names: ["node"],
    summary: "the Node that runs Fairlead, as `node`",
    needs: [],
    compile: () => ({ ...plainProcess, command: ["node"], uses: ["node"] }),
  },
  {
    names: ["pause", "google_containers/pause"],
    summary: "waits until it is stopped",
    needs: [],
    compile: () => ({
      ...plainProcess,
      command: ["sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"],
    }),
  },
];

/** The recipe of an image reference, or `undefined` when the catalogue has none. */
export function findRecipe(image: string): Recipe | undefined {
  const repository = repositoryOf(image);
  return catalogue.find(({ names }) => names.includes(repository));
}
