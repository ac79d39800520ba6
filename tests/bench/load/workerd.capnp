# The built Worker as tests/common/workerd.capnp has it, and beside its own addresses one that ends the directory.
using Workerd = import "/workerd/workerd.capnp";
using Common = import "../../common/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["local"])),
    (name = "disk", disk = (writable = true)),
  ],
  extensions = Common.extensions,
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = "cf-blob"), service = "worker") ],
);

const worker :Workerd.Worker = (
  modules = [
    (name = "mortal.js", esModule = embed "mortal.js"),
    (name = "index.js", esModule = embed "../../../build/index.js"),
    (name = "index_bg.wasm", wasm = embed "../../../build/index_bg.wasm"),
  ],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["no_web_socket_compression"],
  durableObjectNamespaces = Common.namespaces,
  durableObjectStorage = (localDisk = "disk"),
  bindings = Common.bindings,
);
