/*
 * A plugin of QEMU that prints how many instructions the emulated program executed.
 *
 * Debian and Ubuntu ship the emulator without the header for plugins: what is needed of it is
 * declared here. PLUGIN_API is the version of that interface, which the emulator compares.
 */

#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#define EXPORT __attribute__((visibility("default")))

extern "C" {

struct qemu_plugin_tb;
using PluginId = uint64_t;
using Translated = void (*)(PluginId id, qemu_plugin_tb* block);
using Executed = void (*)(unsigned int cpu, void* data);
using AtExit = void (*)(PluginId id, void* data);

void qemu_plugin_register_vcpu_tb_trans_cb(PluginId id, Translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(qemu_plugin_tb* block, Executed callback, int flags,
                                          void* data);
size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* block);
void qemu_plugin_register_atexit_cb(PluginId id, AtExit callback, void* data);

EXPORT extern const int qemu_plugin_version = PLUGIN_API;

EXPORT int qemu_plugin_install(PluginId id, const void* info, int argc, char** argv);
}

namespace {

uint64_t instructions = 0;

void executed(unsigned int /*cpu*/, void* count) {
  instructions += reinterpret_cast<uintptr_t>(count);
}

void translated(PluginId /*id*/, qemu_plugin_tb* block) {
  qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0,
                                       reinterpret_cast<void*>(qemu_plugin_tb_n_insns(block)));
}

void at_exit(PluginId /*id*/, void* /*data*/) {
  std::fprintf(stderr, "instructions: %" PRIu64 "\n", instructions);
}

}  // namespace

int qemu_plugin_install(PluginId id, const void* /*info*/, int /*argc*/, char** /*argv*/) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, at_exit, nullptr);
  return 0;
}
