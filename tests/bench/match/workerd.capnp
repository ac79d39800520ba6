# The built Worker as tests/common/workerd.capnp has it, except that it accepts compression
# (permessage-deflate, RFC 7692).
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "disk", disk = (writable = true)),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = "cf-blob"), service = "worker") ],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "../../../build/index.js"),
    (name = "index_bg.wasm", wasm = embed "../../../build/index_bg.wasm"),
  ],
  compatibilityDate = "2026-11-01",
  durableObjectNamespaces = [
    (className = "LobbyObject", uniqueKey = "lobby", enableSql = true),
    (className = "RoomObject", uniqueKey = "room", enableSql = true),
    (className = "DirectoryObject", uniqueKey = "directory", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    (name = "LOBBY", durableObjectNamespace = "LobbyObject"),
    (name = "ROOM", durableObjectNamespace = "RoomObject"),
    (name = "DIRECTORY", durableObjectNamespace = "DirectoryObject"),
  ],
);
