#include "experiment/shared_rows.h"

#include <fstream>

#include "base/error.h"
#include "features/propose.h"
#include "model_file/checksum.h"
#include "table/table_files.h"

namespace gatewise {
namespace {

Json rows_of(const Configuration& configuration) {
  if (!configuration.synthetic) return configuration.schema.to_json();
  return {{"synthetic", write_options(*configuration.synthetic)},
          {"tasks", configuration.schema.to_json()["tasks"]}};
}

Json checked_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) data_error("{}: the file cannot be opened; check that it may be read", path);
  Checksum checksum;
  int64_t bytes = 0;
  std::string piece(size_t{1} << 20, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    checksum.add(std::string_view(piece.data(), static_cast<size_t>(file.gcount())));
    bytes += file.gcount();
  }
  return {{"bytes", bytes}, {"checksum", checksum.text()}};
}

}  // namespace

// The tables of a split by fraction, as read.
class SharedRows::Tables {
 public:
  explicit Tables(const Schema& schema) : schema_(schema) {}

  TrainingRows split(int64_t seed) {
    const std::lock_guard lock(mutex_);
    if (!is_read_) read();
    Schema schema = schema_;
    schema.split.seed = seed;
    TrainingRows rows;
    if (shared_train_) {
      rows.encoder = shared_encoder_;
      rows.train = shared_train_;
    }
    encode_parts(split_parts(tables_, schema), schema, rows);
    const bool train_stays = schema.split.of != part_name(Part::Train);
    if (train_stays && !shared_train_) {
      shared_encoder_ = rows.encoder;
      shared_train_ = rows.train;
      // Encoded for good; only that the part exists is asked from now on.
      tables_[0] = tables_[0]->select(std::vector<int64_t>());
    }
    return rows;
  }

 private:
  void read() {
    schema_ = resolve_schema(schema_);
    tables_ = read_part_tables(schema_);
    is_read_ = true;
  }

  std::mutex mutex_;
  bool is_read_ = false;
  Schema schema_;
  PartTables tables_;
  Encoder shared_encoder_;
  std::shared_ptr<const EncodedData> shared_train_;
};

std::shared_ptr<const TrainingRows> SharedRows::load(const Configuration& configuration) {
  if (!keeps_tables_ || configuration.synthetic || configuration.schema.split.kind != "fraction")
    return std::make_shared<const TrainingRows>(load_training_rows(configuration, nullptr));
  Json what = rows_of(configuration);
  what["split"].erase("seed");
  std::shared_ptr<Tables> tables;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Tables>& known = tables_[what.dump()];
    if (!known) known = std::make_shared<Tables>(configuration.schema);
    tables = known;
  }
  return std::make_shared<const TrainingRows>(tables->split(configuration.schema.split.seed));
}

void SharedRows::keep(std::shared_ptr<const TrainingRows> rows) {
  recent_.remove(rows);
  recent_.push_front(std::move(rows));
  if (recent_.size() > kept_) recent_.pop_back();
}

std::shared_ptr<const TrainingRows> SharedRows::get(const Configuration& configuration) {
  const std::string key = rows_of(configuration).dump();
  std::promise<std::shared_ptr<const TrainingRows>> promise;
  Rows loading;
  {
    const std::lock_guard lock(mutex_);
    if (auto rows = loaded_[key].lock()) {
      keep(rows);
      return rows;
    }
    if (const auto found = loading_.find(key); found != loading_.end()) {
      loading = found->second;
    } else {
      loading_[key] = promise.get_future().share();
    }
  }
  if (loading.valid()) return loading.get();
  try {
    auto rows = load(configuration);
    const std::lock_guard lock(mutex_);
    loaded_[key] = rows;
    keep(rows);
    loading_.erase(key);
    promise.set_value(rows);
    return rows;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    loading_.erase(key);
    promise.set_exception(std::current_exception());
    throw;
  }
}

Json SharedRows::identity(const Configuration& configuration) {
  Json what = rows_of(configuration);
  if (configuration.synthetic) return what;
  const std::lock_guard lock(mutex_);
  for (const Part part : all_parts) {
    Json contents = Json::array();
    const std::vector<std::string>& files = configuration.schema.data.files(part);
    for (const std::string& file : files.empty() ? files : expand_files(files)) {
      if (!files_.contains(file)) files_[file] = checked_file(file);
      contents.push_back(files_[file]);
    }
    what["data"][part_name(part)] = contents;
  }
  return what;
}

}  // namespace gatewise
