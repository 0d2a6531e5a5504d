// Part of every plug-in: says which build of Gatewise it was made for. Read from the file, never called.
#include "base/plugin_stamp.h"

extern "C" __attribute__((used, visibility("default"))) const char gatewise_plugin_stamp[] =
    GATEWISE_PLUGIN_MARK GATEWISE_PLUGIN_STAMP;
