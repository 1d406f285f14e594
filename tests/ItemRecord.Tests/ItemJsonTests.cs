using System.Text;
using System.Text.Json;
using CsCheck;

namespace Failover.ItemRecord.Tests;

/// <summary>JSON to DynamoDB and back, without loss.</summary>
public class ItemJsonTests
{
    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.Long.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.Select(Gen.Long[1, 9_999_999_999], Gen.Long[1_000_000_000, 9_999_999_999], (whole, fraction) => $"{whole}.{fraction}1"),
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
        using var document = JsonDocument.Parse($"{{\"value\":{json}}}");
        using var back = JsonDocument.Parse(RoundTrip(document));
        return JsonElement.DeepEquals(document.RootElement.GetProperty("value"), back.RootElement.GetProperty("value"));
    });

    [Theory]
    [InlineData("0.1")]
    [InlineData("9007199254740993")]
    [InlineData("0.30000000000000000000000000000000000004")]
    [InlineData("-1.5e-100")]
    public void A_number_is_never_rounded(string number)
    {
        using var document = JsonDocument.Parse($"{{\"value\":{number}}}");

        Assert.Contains(number, RoundTrip(document), StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_with_39_digits_is_refused()
    {
        using var document = JsonDocument.Parse("{\"value\":123456789012345678901234567890123456789}");

        Assert.Throws<FormatException>(() => RoundTrip(document));
    }

    private static string RoundTrip(JsonDocument document)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            ItemJson.Write(writer, new StoredItem("x", ItemJson.ToAttributes(document.RootElement), null, SeenVersions.None, false, null));
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
