# The floor on plain workerd, otherwise as tests/common/workerd.capnp has the Worker.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "worker") ],
);

const worker :Workerd.Worker = (
  modules = [ (name = "index.js", esModule = embed "index.js") ],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["no_web_socket_compression"],
  durableObjectNamespaces = [ (className = "Floor", uniqueKey = "lobby", enableSql = true) ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ (name = "LOBBY", durableObjectNamespace = "Floor") ],
);
