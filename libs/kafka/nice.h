// Threads that give way to those that answer requests.
#pragma once

#include <sys/resource.h>

namespace bv::kafka {

// Of the calling thread, and of those that it makes; 0 to 19, and 0 changes nothing.
inline void BeNice(int niceness) {
  if (niceness > 0) setpriority(PRIO_PROCESS, 0, niceness);
}

}  // namespace bv::kafka
