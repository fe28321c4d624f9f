#include "platform/security/crypto.h"

#include <gtest/gtest.h>

#include <set>

namespace tipflow::crypto {
namespace {

struct Crypto : testing::Test {
  static void SetUpTestSuite() { initialise(); }
};

TEST_F(Crypto, sha_256_gives_the_published_values) {
  EXPECT_EQ(toHex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(toHex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(Crypto, hmac_sha_256_gives_the_published_values) {
  // RFC 4231, cases 1, 2 and 6.
  EXPECT_EQ(toHex(hmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(toHex(hmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(toHex(hmacSha256(std::string(131, '\xaa'),
                             "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_F(Crypto, a_key_signs_text_after_text_alike) {
  const HmacKey key("Jefe");
  const auto first = key.sign("what do ya want for nothing?");
  EXPECT_EQ(toHex(bytesOf(first)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_NE(key.sign("what do ya want for nothing!"), first);
  const HmacKey copy = key;
  EXPECT_EQ(copy.sign("what do ya want for nothing?"), first);
  EXPECT_EQ(HmacKey().sign("text"), HmacKey(std::string{}).sign("text"));
}

TEST_F(Crypto, writes_every_byte_as_two_hex_digits) {
  std::string hex = "0x";
  appendHex(hex, std::string_view("\x00\x09\x0a\x9f\xa0\xff", 6));
  EXPECT_EQ(hex, "0x00090a9fa0ff");
}

TEST_F(Crypto, compares_by_content) {
  EXPECT_TRUE(equal("", ""));
  EXPECT_TRUE(equal("abc", "abc"));
  EXPECT_FALSE(equal("abc", "abd"));
  EXPECT_FALSE(equal("abc", "ab"));
  EXPECT_FALSE(equal(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

TEST_F(Crypto, hexadecimal_reads_back_as_it_was_and_takes_nothing_else) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  EXPECT_EQ(fromHex(toHex(every)), every);
  EXPECT_EQ(fromHex(""), "");
  EXPECT_EQ(fromHex("00fF"), std::string("\x00\xff", 2));
  for (const auto* text : {"0", "0g", "00 ", "0x00", "00:11"}) {
    EXPECT_FALSE(fromHex(text)) << text;
  }
}

TEST_F(Crypto, base64url_reads_back_as_it_was_and_takes_one_spelling_only) {
  std::string every;
  for (int c = 0; c < 256; ++c) {
    EXPECT_EQ(fromBase64Url(toBase64Url(every)), every);
    every += static_cast<char>(c);
  }
  EXPECT_EQ(toBase64Url("\xff\xfe"), "__4");
  for (const auto* text : {"__4=", "//4", "_ _4", "_", "__5", "__4\n"}) {
    EXPECT_FALSE(fromBase64Url(text)) << text;
  }
}

TEST_F(Crypto, a_password_fits_its_own_hash_only) {
  const PasswordCost cheap{8, 1};
  const auto hash = hashPassword("correct horse", cheap);
  EXPECT_TRUE(verifyPassword(hash, "correct horse"));
  EXPECT_FALSE(verifyPassword(hash, "correct hors"));
  EXPECT_FALSE(verifyPassword(hash, "correct horse "));
  EXPECT_FALSE(verifyPassword(hash, ""));
  EXPECT_FALSE(verifyPassword("", "correct horse"));
  EXPECT_FALSE(verifyPassword("correct horse", "correct horse"));
  EXPECT_TRUE(hash.starts_with("$argon2id$"));
  EXPECT_EQ(hash.find("correct"), std::string::npos);
  EXPECT_LE(hash.size(), 128U);  // the column that holds it
  EXPECT_NE(hash, hashPassword("correct horse", cheap)) << "the same salt twice";
}

TEST_F(Crypto, random_bytes_do_not_repeat) {
  EXPECT_EQ(randomBytes(0), "");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto bytes = randomBytes(16);
    EXPECT_EQ(bytes.size(), 16U);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
  SystemRandom random;
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1'000; ++i) numbers.insert(random.bits());
  EXPECT_EQ(numbers.size(), 1'000U);
}

}  // namespace
}  // namespace tipflow::crypto
