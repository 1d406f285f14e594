using System.Globalization;
using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using CsCheck;

namespace Failover.ItemRecord.Tests;

/// <summary>JSON to DynamoDB and back, without loss.</summary>
public class ItemJsonTests
{
    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.Long.Select(value => value.ToString(CultureInfo.InvariantCulture)),
        Gen.Select(Gen.Long[1, 9_999_999_999], Gen.Long[1_000_000_000, 9_999_999_999], (whole, fraction) => $"{whole}.{fraction}1"),
        Gen.Select(Gen.Long[-9_999_999_999, 9_999_999_999], Gen.Int[-110, 110], (mantissa, exponent) => $"{mantissa}e{exponent}"),
        Gen.Const("12345678901234567890123456789012345678"),
        Gen.Const("0"));

    private static Gen<string> Json(int depth) => Gen.OneOf(
        Number,
        Gen.String.Select(text => JsonSerializer.Serialize(new string([.. text.Where(c => !char.IsSurrogate(c))]))),
        Gen.Const("true"),
        Gen.Const("false"),
        Gen.Const("null"),
        depth == 0 ? Gen.Const("[]") : Json(depth - 1).Array[0, 4].Select(items => $"[{string.Join(',', items)}]"),
        depth == 0 ? Gen.Const("{}") : Json(depth - 1).Array[0, 4].Select(items => $"{{{string.Join(',', items.Select((item, i) => $"\"m{i}\":{item}"))}}}"));

    [Fact]
    public void Every_value_comes_back_as_it_was() => Json(3).Sample(json =>
    {
        using var sent = JsonDocument.Parse($"{{\"value\":{json}}}");
        var text = RoundTrip($"{{\"value\":{json}}}");
        using var back = JsonDocument.Parse(text);
        return JsonElement.DeepEquals(sent.RootElement.GetProperty("value"), back.RootElement.GetProperty("value")) && RoundTrip(WithoutId(text)) == text;
    });

    [Theory]
    [InlineData("0.1", "0.1")]
    [InlineData("1.10", "1.1")]
    [InlineData("-0", "0")]
    [InlineData("0e99999999999", "0")]
    [InlineData("100", "100")]
    [InlineData("1e2", "100")]
    [InlineData("9007199254740993", "9007199254740993")]
    [InlineData("0.30000000000000000000000000000000000004", "0.30000000000000000000000000000000000004")]
    [InlineData("-1.5e-100", "-1.5E-100")]
    [InlineData("12345678901234567890123456789012345678", "12345678901234567890123456789012345678")]
    [InlineData("1e125", "1E+125")]
    [InlineData("9.9999999999999999999999999999999999999e125", "9.9999999999999999999999999999999999999E+125")]
    [InlineData("1e-130", "1E-130")]
    public void A_number_keeps_its_value_to_the_last_digit(string number, string expected) => Assert.Equal($"{{\"id\":\"x\",\"value\":{expected}}}", RoundTrip($"{{\"value\":{number}}}"));

    [Theory]
    [InlineData("123456789012345678901234567890123456789", ItemMistake.NumberTooPrecise)]
    [InlineData("1e126", ItemMistake.NumberOutOfRange)]
    [InlineData("-1e126", ItemMistake.NumberOutOfRange)]
    [InlineData("9.9e-131", ItemMistake.NumberOutOfRange)]
    [InlineData("1e99999999999", ItemMistake.NumberOutOfRange)]
    public void A_number_that_would_be_changed_is_refused(string number, ItemMistake expected)
    {
        var refused = Assert.Throws<ItemFormatException>(() => Parse($"{{\"a\":[0,{{\"b/~\":{number}}}]}}"));

        Assert.Equal((expected, "/a/1/b~1~0"), (refused.Mistake, refused.JsonPointer));
    }

    [Fact]
    public void Depth_counts_the_item_itself()
    {
        static string Nest(int levels) => $"{{\"a\":{new string('[', levels - 1)}{new string(']', levels - 1)}}}";

        Parse(Nest(ItemJson.DepthMax));
        Assert.Equal(ItemMistake.TooDeep, Assert.Throws<ItemFormatException>(() => Parse(Nest(ItemJson.DepthMax + 1))).Mistake);
        Assert.Equal(ItemMistake.TooDeep, Assert.Throws<ItemFormatException>(() => Parse($"{{\"a\":{new string('[', 100_000)}")).Mistake);
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_refused()
    {
        Assert.Equal(ItemMistake.InvalidUnicode, Assert.Throws<ItemFormatException>(() => ItemParser.Parse([.. "{\"a\":\""u8, 0xC3, .. "\"}"u8])).Mistake);
        Assert.Equal(ItemMistake.InvalidUnicode, Assert.Throws<ItemFormatException>(() => ItemParser.Parse([.. "{\""u8, 0xFF, .. "\":1}"u8])).Mistake);
    }

    [Fact]
    public void What_others_wrote_is_readable()
    {
        var item = new StoredItem(
            "x",
            new Dictionary<string, AttributeValue>
            {
                ["b"] = new() { B = new MemoryStream([1, 2, 3]) },
                ["bs"] = new() { BS = [new MemoryStream([2]), new MemoryStream([1])] },
                ["ns"] = new() { NS = ["2", "1.50"] },
                ["ss"] = new() { SS = ["b", "a"] },
                ["n"] = new() { N = ".5" },
            },
            null,
            SeenVersions.None,
            false,
            null);

        Assert.Equal("""{"id":"x","b":"AQID","bs":["AQ==","Ag=="],"n":0.5,"ns":[1.5,2],"ss":["a","b"]}""", Text(item));
    }

    private static Dictionary<string, AttributeValue> Parse(string json) => ItemParser.Parse(Encoding.UTF8.GetBytes(json));

    private static string RoundTrip(string json) => Text(new StoredItem("x", Parse(json), null, SeenVersions.None, false, null));

    private static string WithoutId(string json) => "{" + json[(json.IndexOf(',', StringComparison.Ordinal) + 1)..];

    private static string Text(StoredItem item)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            ItemJson.Write(writer, item);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
