# pragma version 0.4.3
# pragma evm-version cancun
"""
@title JSON as a data URI
@license Apache-2.0
@notice For token metadata that needs no server: texts as JSON string contents (RFC 8259), documents as base64 data
        URIs (RFC 2397, RFC 4648). Meant for calls off chain.
"""

MAXIMUM_TEXT: constant(uint256) = 200
MAXIMUM_ESCAPED: constant(uint256) = 6 * MAXIMUM_TEXT
MAXIMUM_DOCUMENT: constant(uint256) = 4_000
MAXIMUM_URI: constant(uint256) = 5_400
BASE64_ALPHABET: constant(String[64]) = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
HEX_DIGITS: constant(String[16]) = "0123456789abcdef"


@internal
@pure
def _escape(text: String[MAXIMUM_TEXT]) -> String[MAXIMUM_ESCAPED]:
    """
    @return `text` with quotes, backslashes and control characters as \\u00XX.
    """
    escaped: String[MAXIMUM_ESCAPED] = ""
    for i: uint256 in range(len(text), bound=MAXIMUM_TEXT):
        character: String[1] = slice(text, i, 1)
        code: uint256 = convert(convert(character, Bytes[1]), uint256)
        if code < 32 or code == 34 or code == 92:
            escaped = convert(
                concat(escaped, "\\u00", slice(HEX_DIGITS, code >> 4, 1), slice(HEX_DIGITS, code & 15, 1)),
                String[MAXIMUM_ESCAPED],
            )
        else:
            escaped = convert(concat(escaped, character), String[MAXIMUM_ESCAPED])
    return escaped


@internal
@pure
def _data_uri(document: String[MAXIMUM_DOCUMENT]) -> String[MAXIMUM_URI]:
    """
    @return The JSON document as a data URI.
    """
    # Spaces behind a JSON document mean nothing, and spare base64 its own padding.
    padded: String[MAXIMUM_DOCUMENT + 2] = concat(document, "  ")
    uri: String[MAXIMUM_URI] = "data:application/json;base64,"
    for i: uint256 in range(len(padded) // 3, bound=MAXIMUM_DOCUMENT // 3 + 1):
        bits: uint256 = convert(convert(slice(padded, 3 * i, 3), Bytes[3]), uint256)
        uri = convert(
            concat(
                uri,
                slice(BASE64_ALPHABET, bits >> 18, 1),
                slice(BASE64_ALPHABET, (bits >> 12) & 63, 1),
                slice(BASE64_ALPHABET, (bits >> 6) & 63, 1),
                slice(BASE64_ALPHABET, bits & 63, 1),
            ),
            String[MAXIMUM_URI],
        )
    return uri
