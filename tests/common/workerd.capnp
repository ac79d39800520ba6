# The built Worker on plain workerd, as the worker tests run it. The address comes from the command line.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "worker", worker = .worker) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "worker") ],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "../../build/index.js"),
    (name = "index_bg.wasm", wasm = embed "../../build/index_bg.wasm"),
  ],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["no_web_socket_compression"],
  durableObjectNamespaces = [
    (className = "LobbyObject", uniqueKey = "lobby", enableSql = true),
    (className = "RoomObject", uniqueKey = "room", enableSql = true),
  ],
  durableObjectStorage = (inMemory = void),
  bindings = [
    (name = "LOBBY", durableObjectNamespace = "LobbyObject"),
    (name = "ROOM", durableObjectNamespace = "RoomObject"),
    (name = "ROOM_CAPACITY", text = "4"),
    (name = "ALLOWED_ORIGINS", text = "https://friend.example"),
  ],
);
