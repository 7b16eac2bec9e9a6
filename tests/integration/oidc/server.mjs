// oidc-provider as a token server, and a bridge that accepts its tokens, on loopback. It prints its port, and stops when
// standard input ends. The variable OIDC has its clients, and the page that the bridge returns, as JSON.

import { createServer } from "node:http";

// Its advice for production would be read as the port.
console.info = console.warn = () => {};
const { default: Provider } = await import("oidc-provider");

const { clients, page } = JSON.parse(process.env.OIDC);
const server = createServer();
let seen = [];

function respond(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    clients: clients.map((client) => ({ grant_types: ["client_credentials"], redirect_uris: [], response_types: [], ...client })),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource) => ({ scope: "", audience: resource, accessTokenFormat: "opaque" }),
      },
    },
    ttl: { ClientCredentials: 600 },
  });
  provider.on("server_error", (context, error) => console.error(error));
  const tokens = provider.callback();

  async function bridge(request, response) {
    const token = await provider.ClientCredentials.find((request.headers.authorization ?? "").replace(/^Bearer /, ""));
    const accepted = token && [undefined, `${url}/bridge`].includes(token.aud);
    respond(response, accepted ? 200 : 401, accepted ? page : {});
  }

  server.on("request", (request, response) => {
    if (request.url === "/seen") {
      respond(response, 200, seen.splice(0));
      return;
    }
    response.on("finish", () => seen.push([request.method, request.url, response.statusCode]));
    (request.url.startsWith("/bridge/") ? bridge : tokens)(request, response);
  });
  console.log(server.address().port);
});

process.stdin.on("end", () => process.exit()).resume();
