// Checkpoints: the state of a run as JSON, or else header and data of a file whose seal is made to fit. A run
// goes on from what loads.
#include "base/threads.h"
#include "model_file/checkpoint.h"
#include "tests/fuzz/saved_sample.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tensor_file.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

// A run of two epochs over the rows of the sample, and the checkpoint that one epoch leaves.
class Resumption {
 public:
  Resumption() : sample_(small_mmoe()), folder_(small_mmoe()) {
    const MemoryFile file(every_kind_csv);
    rows_ = sample_.encoder.encode(read_every_kind(file.path(), every_kind_schema(), true));
    train_on(1);
    checkpoint_ = content_of(path());
  }

  const std::string& checkpoint() const { return checkpoint_; }
  std::string path() const { return folder_.file("run.checkpoint"); }

  void go_on() const { train_on(2); }

  // The good checkpoint with another state.
  void write_with(const Json& state) const {
    folder_.write("good.checkpoint", checkpoint_);
    const LoadedCheckpoint good = load_checkpoint(folder_.file("good.checkpoint"));
    Checkpoint changed{state, {}};
    for (const std::string& name : good.tensors.names()) {
      const TensorFile::Entry& entry = good.tensors.entry(name);
      if (name != "state") changed.tensors.push_back({name, entry.dtype, entry.shape, entry.bytes.data()});
    }
    write_checkpoint(path(), changed);
  }
  void write_file(std::string_view content) const { folder_.write("run.checkpoint", content); }

 private:
  void train_on(int64_t epochs) const {
    Store<float> store(*sample_.graph);
    store.initialise(4);
    Pool pool(1);
    TrainingOptions options;
    options.epochs = epochs;
    options.batch_rows = 4;
    options.probes = {{"every_steps", 1}};
    TrainingRun run;
    run.checkpoint = path();
    run.is_resuming = epochs > 1;
    train(*sample_.graph, store, sample_.encoder.space(), {.train = &rows_, .validation = &rows_}, options,
          run, pool);
  }

  SampleModel sample_;
  SavedSample folder_;
  EncodedData rows_;
  std::string checkpoint_;
};

const Resumption& resumption() {
  static const Resumption resumption;
  return resumption;
}

void resume(std::string_view input) {
  const std::vector<std::string> parts = fuzz_parts(input);
  if (parts.size() > 1) {
    resumption().write_file(tensor_file_bytes(parts[0], parts[1]));
  } else {
    const Json state = Json::parse(parts[0], nullptr, false);
    if (state.is_discarded()) {
      resumption().write_file(parts[0]);
    } else {
      resumption().write_with(state);
    }
  }
  resumption().go_on();
}

std::vector<std::string> checkpoints() {
  const auto [header, data] = tensor_file_parts(resumption().checkpoint());
  const SavedSample folder;
  folder.write("run.checkpoint", resumption().checkpoint());
  return {load_checkpoint(folder.file("run.checkpoint")).state.dump(), join_fuzz_parts({header, data}),
          resumption().checkpoint()};
}

std::vector<std::string> words_of_checkpoints() {
  return {"state", "epoch", "step",    "weights/arena", "best/arena",
          "F32",   "U8",    "history", "epochs",        "warnings"};
}

const RegisterFuzzTarget checkpoint_registered{"checkpoint", {resume, checkpoints, words_of_checkpoints, 50}};

}  // namespace
}  // namespace gatewise
