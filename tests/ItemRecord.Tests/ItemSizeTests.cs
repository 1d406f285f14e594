using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.Testing;

namespace Failover.ItemRecord.Tests;

/// <summary>An item's size is what the engine says it is: one byte more than the limit is refused there, and here.</summary>
public sealed class ItemSizeTests(DynoxideEngine shared) : IClassFixture<DynoxideEngine>
{
    public static TheoryData<string, AttributeValue> Values => new()
    {
        { "string", new("é€😀") },
        { "digit", new() { N = "1" } },
        { "two digits", new() { N = "12" } },
        { "three digits", new() { N = "123" } },
        { "hundred", new() { N = "100" } },
        { "negative", new() { N = "-12" } },
        { "zero", new() { N = "0" } },
        { "fraction", new() { N = "1.5" } },
        { "small", new() { N = "0.01" } },
        { "38 digits", new() { N = "12345678901234567890123456789012345678" } },
        { "bool", new() { BOOL = true } },
        { "null", new() { NULL = true } },
        { "list", new() { L = [new("a"), new() { NULL = true }], IsLSet = true } },
        { "map", new() { M = new() { ["a"] = new() { N = "7" }, ["bc"] = new() { M = [], IsMSet = true } }, IsMSet = true } },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Is_what_the_engine_says(string name, AttributeValue value)
    {
        var table = await shared.Engine!.TableAsync("id");
        using var client = shared.Engine.Client();
        var item = new Dictionary<string, AttributeValue> { ["id"] = new(name), ["value"] = value, ["rest"] = new("") };
        var room = ItemSize.BytesMax - ItemSize.Of(item);

        item["rest"] = new(new string('x', room));
        await client.PutItemAsync(table, item, TestContext.Current.CancellationToken);
        item["rest"] = new(new string('x', room + 1));
        await Assert.ThrowsAsync<AmazonDynamoDBException>(() => client.PutItemAsync(table, item, TestContext.Current.CancellationToken));
        Assert.Equal(ItemSize.BytesMax + 1, ItemSize.Of(item));
    }
}
