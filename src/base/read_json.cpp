#include "base/read_json.h"

#include "base/error.h"

namespace gatewise {
namespace {

// Builds the tree as nlohmann's own handler does, but stops where values nest too deeply.
class TreeBuilder : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;
  TreeBuilder(Json& tree, std::string& reason) : Base(tree, false), fault_(reason) {}

  bool start_object(std::size_t size) { return enter() && Base::start_object(size); }
  bool start_array(std::size_t size) { return enter() && Base::start_array(size); }
  bool end_object() {
    --level_;
    return Base::end_object();
  }
  bool end_array() {
    --level_;
    return Base::end_array();
  }

  template <class Exception>
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Exception& exception) {
    fault_ = exception.what();
    // It quotes what was read last, which may be no text.
    for (char& c : fault_) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    return false;
  }

 private:
  bool enter() {
    if (++level_ <= most_json_levels) return true;
    fault_ = fmt::format("its values nest more than {} deep", most_json_levels);
    return false;
  }

  std::string& fault_;
  int level_ = 0;
};

std::optional<Json> tree_of(std::string_view bytes, nlohmann::detail::input_format_t format,
                            std::string& fault) {
  Json root;
  fault.clear();
  try {
    TreeBuilder builder(root, fault);
    if (Json::sax_parse(bytes.begin(), bytes.end(), &builder, format)) return root;
  } catch (const Json::exception& exception) {
    fault = exception.what();
  }
  if (fault.empty()) fault = "it is damaged";
  return std::nullopt;
}

}  // namespace

std::optional<Json> read_json(std::string_view text, std::string& fault) {
  return tree_of(text, nlohmann::detail::input_format_t::json, fault);
}

std::optional<Json> read_cbor(std::string_view bytes, std::string& fault) {
  return tree_of(bytes, nlohmann::detail::input_format_t::cbor, fault);
}

}  // namespace gatewise
