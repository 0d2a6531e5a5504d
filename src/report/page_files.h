// The parts of an HTML report that are the same in all of them, embedded at build time.
#pragma once

#include <string_view>

namespace gatewise {

struct PageFiles {
  std::string_view html;            // the page, with {{marks}} where its parts go
  std::string_view style;           // CSS
  std::string_view theme_script;    // runs before anything is shown
  std::string_view figures_script;  // figures as options of the chart library
  std::string_view page_script;     // drawing, light and dark, downloads
  std::string_view charts_script;   // Apache ECharts
  std::string_view notices;         // of the chart library and its parts
  std::string_view licence;         // Apache License 2.0, that of Gatewise and of the chart library
};

PageFiles page_files();

}  // namespace gatewise
