// SPDX-License-Identifier: Apache-2.0
#include "churn/contestant_external.hpp"

#include "churn/line_protocol.hpp"
#include "churn/outstanding.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace redial::churn {

namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

// For a client that was told to end, to end by itself.
constexpr auto end_limit = std::chrono::seconds{2};
// From the end of its output to its own end.
constexpr auto exit_limit = std::chrono::milliseconds{100};

environment_variables variables_for(const service_address& where, const external_client& client) {
  using std::chrono::milliseconds;
  auto variables = client.variables;
  variables.emplace_back(
      "CHURN_URL",
      fmt::format(
          "{}://{}:{}/{}/", where.tls ? "https" : "http", where.host, where.port, client.id));
  variables.emplace_back("CHURN_CA_FILE", where.ca_file);
  variables.emplace_back(
      "CHURN_TTL_CAP_MS",
      std::to_string(std::chrono::duration_cast<milliseconds>(where.ttl_cap).count()));
  variables.emplace_back("CHURN_SEED", std::to_string(where.seed));
  return variables;
}

// The program and what is said to and by it.
class conversation : public std::enable_shared_from_this<conversation> {
 public:
  conversation(const asio::any_io_executor& executor,
               const service_address& where,
               const external_client& client)
      : process_(client.command, variables_for(where, client)),
        socket_(executor, stream_protocol(), process_.release_socket()),
        asked_(std::make_shared<outstanding>(executor)) {}

  void get(std::uint64_t request, time_point deadline, contestant::handler done) {
    asked_->add(request, deadline, std::move(done));
    if (!ended_.empty()) {
      asked_->answer_from_thread(request, failed(ended_));
      return;
    }
    unsent_ += get_line(request, deadline - clock::now());
    if (sending_.empty()) send();
  }

  void read() {
    socket_.async_read_some(asio::buffer(chunk_),
                            [self = shared_from_this()](const auto& ec, std::size_t size) {
                              self->heard(ec ? 0 : size);
                            });
  }

  void close() {
    if (ended_.empty()) ended_ = "closed";
    boost::system::error_code ignored;
    (void)socket_.shutdown(stream_protocol::socket::shutdown_send, ignored);
    process_.end(end_limit);
    (void)socket_.close(ignored);
    asked_->close();
  }

  [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }

 private:
  void send() {
    sending_ = std::exchange(unsent_, {});
    asio::async_write(
        socket_, asio::buffer(sending_), [self = shared_from_this()](const auto& ec, std::size_t) {
          self->sending_.clear();
          // Reading says what became of it.
          if (!ec && !self->unsent_.empty()) self->send();
        });
  }

  // Nothing: the end.
  void heard(std::size_t size) {
    if (!ended_.empty()) return;
    const auto take = [this](std::string_view line) { understand(line); };
    if (size == 0) {
      lose(fmt::format("the client ended: {}", process_.end(exit_limit)));
    } else if (!lines_.feed({chunk_.data(), size}, take)) {
      lose(fmt::format("the client said a line of more than {} bytes", lines_.longest_line));
    } else {
      read();
    }
  }

  void understand(std::string_view line) {
    auto meaning = parse_client_line(line);
    if (meaning.what == client_line::kind::answer) {
      asked_->answer(meaning.number, std::move(meaning.answer));
    } else if (meaning.what == client_line::kind::connections) {
      connections_ = meaning.number;
    }
  }

  void lose(std::string why) {
    ended_ = std::move(why);
    boost::system::error_code ignored;
    (void)socket_.close(ignored);
    process_.end(duration::zero());
    asked_->fail_all(ended_);
  }

  external_process process_;
  stream_protocol::socket socket_;
  std::shared_ptr<outstanding> asked_;
  std::string unsent_;
  std::string sending_;
  std::array<char, 4096> chunk_{};
  line_splitter lines_;
  std::uint64_t connections_ = 0;
  std::string ended_;  // why there is nobody to ask any more
};

class external_contestant final : public contestant {
 public:
  external_contestant(const asio::any_io_executor& executor,
                      const service_address& where,
                      const external_client& client)
      : id_(client.id), talk_(std::make_shared<conversation>(executor, where, client)) {
    talk_->read();
  }
  external_contestant(const external_contestant&) = delete;
  external_contestant& operator=(const external_contestant&) = delete;
  ~external_contestant() override { talk_->close(); }

  const std::string& id() const noexcept override { return id_; }

  void async_get(std::uint64_t request, time_point deadline, handler done) override {
    talk_->get(request, deadline, std::move(done));
  }

  std::uint64_t connections() const override { return talk_->connections(); }

  void close() override { talk_->close(); }

 private:
  std::string id_;
  std::shared_ptr<conversation> talk_;
};

bool is_id(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

}  // namespace

std::unique_ptr<contestant> make_external(const asio::any_io_executor& executor,
                                          const service_address& where,
                                          const external_client& client) {
  return std::make_unique<external_contestant>(executor, where, client);
}

entrant external_entrant(const std::string& name_and_command) {
  const auto equals = name_and_command.find('=');
  const auto name = name_and_command.substr(0, equals);
  if (equals == name_and_command.npos || equals + 1 == name_and_command.size() || !is_id(name)) {
    throw std::invalid_argument(
        fmt::format("--external: name=command, a name of lower-case letters and digits, not '{}'",
                    name_and_command));
  }
  const external_client client{name, name_and_command.substr(equals + 1)};
  // What it can do, it knows itself; but the protocol says nothing of SRV.
  const auto why_not = [](const service_address& where) -> std::string {
    return where.srv.empty() ? "" : "the line protocol knows no SRV records";
  };
  return {name, name, why_not, [client](const auto& executor, const auto& where) {
            return make_external(executor, where, client);
          }};
}

}  // namespace redial::churn
