using Failover.LocalHost.Route53;

namespace Failover.LocalHost.Tests;

/// <summary>TXT values as Route 53 takes them.</summary>
public class TxtValueTests
{
    [Theory]
    [InlineData("\"a\"", "a")]
    [InlineData("\"\"", "")]
    [InlineData("\"a\" \"b\"", "a|b")]
    [InlineData("\"a\"\"b\"", "a|b")]
    [InlineData("\"say \\\"hi\\\"\"", "say \"hi\"")]
    [InlineData("\"back\\\\slash\"", "back\\slash")]
    [InlineData("\"\\101\\040\\344\"", "A \u00e4")]
    public void Strings_and_escapes_are_read(string value, string expected) =>
        Assert.Equal(expected.Split('|'), TxtValue.Parse(value).Strings);

    [Theory]
    [InlineData("")]
    [InlineData("unquoted")]
    [InlineData("\"open")]
    [InlineData("\"open\\\"")]
    [InlineData("\"a\" b")]
    [InlineData("\"\u00e4\"")]
    public void Anything_else_is_an_invalid_character_string(string value) =>
        Assert.Contains("InvalidCharacterString", TxtValue.Parse(value).Mistake, StringComparison.Ordinal);

    [Fact]
    public void A_string_has_at_most_255_characters_however_they_are_written()
    {
        Assert.Null(TxtValue.Parse($"\"{new string('a', 255)}\" \"{new string('b', 255)}\"").Mistake);
        Assert.Null(TxtValue.Parse($"\"{string.Concat(Enumerable.Repeat("\\101", 255))}\"").Mistake);
        Assert.Contains("CharacterStringTooLong", TxtValue.Parse($"\"{new string('a', 256)}\"").Mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_has_at_most_4000_characters() =>
        Assert.Contains("CharacterStringTooLong",
            TxtValue.Parse(string.Join(' ', Enumerable.Repeat($"\"{new string('a', 200)}\"", 20))).Mistake, StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("v=1 why=\"it\\s\"")]
    [InlineData("\u00e4\u0001")]
    public void A_quoted_text_is_read_back(string text) => Assert.Equal(text, string.Concat(TxtValue.Parse(TxtValue.Quote(text)).Strings!));

    [Fact]
    public void A_long_text_takes_several_strings()
    {
        var text = new string('"', 300);

        Assert.Equal([255, 45], TxtValue.Parse(TxtValue.Quote(text)).Strings!.Select(part => part.Length));
    }
}
