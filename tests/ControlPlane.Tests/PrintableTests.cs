using System.Text;
using System.Text.Json;

namespace Failover.ControlPlane.Tests;

/// <summary>What outsiders send, made fit for a ballot, a journal line and a terminal.</summary>
public class PrintableTests
{
    [Theory]
    [InlineData("200 in 12 ms", 100, "200 in 12 ms")]
    [InlineData("\u001b[2J\r\nX\u00e9\u202e", 100, "?[2J??X??")]
    [InlineData("abcdefghij", 10, "abcdefghij")]
    [InlineData("abcdefghijk", 10, "abcdefg...")]
    [InlineData("<<<<", 14, "<...")]
    public void It_is_printable_and_bounded(string text, int max, string expected) => Assert.Equal(expected, Printable.Of(text, max));

    [Fact]
    public void It_is_no_longer_in_json_than_asked_for_whatever_it_says()
    {
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(400)).Select(_ => (char)random.Next(random.Next(3) == 0 ? 65_536 : 128))]);
            var plain = Printable.Of(text, 100);

            Assert.InRange(Encoding.UTF8.GetByteCount(JsonSerializer.Serialize(plain)), 2, 102);
            Assert.DoesNotContain(plain, character => character is < ' ' or > '~');
        }
    }
}
