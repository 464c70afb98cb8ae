import { existsSync } from "node:fs";
import { plainProcess, type Recipe } from "./recipe.ts";

const mainConfig = `user www-data;
worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout combined;
  sendfile on;
  keepalive_timeout 65;
  client_body_temp_path /tmp/nginx-body;
  proxy_temp_path /tmp/nginx-proxy;
  fastcgi_temp_path /tmp/nginx-fastcgi;
  uwsgi_temp_path /tmp/nginx-uwsgi;
  scgi_temp_path /tmp/nginx-scgi;
  include /etc/nginx/conf.d/*.conf;
}
`;

/** As the usual image: of both families where the machine has IPv6, or nginx would not start. */
const listenSix = existsSync("/proc/net/if_inet6") ? "  listen [::]:80;\n" : "";

const defaultServer = `server {
  listen 80;
${listenSix}  server_name localhost;
  location / {
    root /usr/share/nginx/html;
    index index.html index.htm;
  }
}
`;

const welcome = `<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>This page is served by the nginx of this machine, started in a pod by Fairlead.</p>
</body>
</html>
`;

/** The files stand where the usual nginx image has them, so that a ConfigMap mounted over them does what it does there. */
export const nginx: Recipe = {
  names: ["nginx", "nginxinc/nginx-unprivileged"],
  summary: "the machine's nginx on port 80, pages from /usr/share/nginx/html, servers from /etc/nginx/conf.d",
  needs: [{ program: "nginx", package: "nginx-light" }],
  compile: () => ({
    ...plainProcess,
    command: ["nginx", "-e", "stderr", "-g", "daemon off;"],
    files: [
      { path: "/etc/nginx/nginx.conf", text: mainConfig },
      { path: "/etc/nginx/conf.d/default.conf", text: defaultServer },
      { path: "/usr/share/nginx/html/index.html", text: welcome },
    ],
  }),
};
