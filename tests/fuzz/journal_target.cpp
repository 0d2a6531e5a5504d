// Journals of experiments: lines of JSON, whose checksums are made to fit.
#include "experiment/journal.h"
#include "model_file/checksum.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

std::string sealed_line(const std::string& text) {
  Json line = Json::parse(text, nullptr, false);
  if (!line.is_object()) return text;
  for (const char* name : {"key", "what", "result", "checksum"}) {
    if (!line.contains(name)) return text;
  }
  Checksum checksum;
  checksum.add(Json{line["key"], line["what"], line["result"]}.dump());
  line["checksum"] = checksum.text();
  return line.dump();
}

void read_journal(std::string_view input) {
  std::string content;
  for (const std::string& part : fuzz_parts(input)) content += sealed_line(part) + "\n";
  if (!input.empty() && input.back() != '}') content.pop_back();
  const MemoryFile file(content);
  size_t known = 0;
  {
    Journal journal(file.path());
    journal.add("new", Json::object(), 1);
    known = journal.size();
  }
  const Journal again(file.path());
  fuzz_require(again.size() == known && again.find("new") != nullptr, "a journal forgets what was added");
}

std::vector<std::string> journals() {
  const std::string first = R"({"key":"a","what":{"seed":1},"result":{"value":0.5},"checksum":"00000000"})";
  const std::string second =
      R"({"key":"b","what":{"seed":2},"result":[1,2.5,null,"x"],"checksum":"00000000"})";
  return {join_fuzz_parts({first, second}), first, "", R"({"key":"a","wh)",
          join_fuzz_parts({first, first, second.substr(0, 30)})};
}

std::vector<std::string> words_of_journals() {
  return {"key", "what", "result", "checksum", "\n", "{\"key\":", "00000000"};
}

const RegisterFuzzTarget journal_registered{"journal", {read_journal, journals, words_of_journals, 2000}};

}  // namespace
}  // namespace gatewise
