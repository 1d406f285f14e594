using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord.Tests;

/// <summary>Every type as DynamoDB's JSON, and when two items are equal.</summary>
public class DynamoDbJsonTests
{
    public static readonly TheoryData<string, AttributeValue> Types = new()
    {
        { """{"S":""}""", new AttributeValue { S = "" } },
        { """{"N":"1.10"}""", new AttributeValue { N = "1.10" } },
        { """{"BOOL":false}""", new AttributeValue { BOOL = false } },
        { """{"NULL":true}""", new AttributeValue { NULL = true } },
        { """{"B":"AP8="}""", new AttributeValue { B = new MemoryStream([0, 255]) } },
        { """{"B":""}""", new AttributeValue { B = new MemoryStream() } },
        { """{"L":[]}""", new AttributeValue { L = [] } },
        { """{"M":{}}""", new AttributeValue { M = [] } },
        { """{"L":[{"S":"a"},{"M":{"n":{"N":"1"}}}]}""", new AttributeValue { L = [new AttributeValue("a"), new AttributeValue { M = new() { ["n"] = new() { N = "1" } } }] } },
        { """{"SS":["a","b"]}""", new AttributeValue { SS = ["a", "b"] } },
        { """{"NS":["1","2"]}""", new AttributeValue { NS = ["1", "2"] } },
        { """{"BS":["AQ==","Ag=="]}""", new AttributeValue { BS = [new MemoryStream([1]), new MemoryStream([2])] } },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void A_type_is_written_as_it_is_stored(string json, AttributeValue value) => Assert.Equal($$"""{"x":{{json}}}""", DynamoDbJson.ToElement(Item(value)).GetRawText());

    [Fact]
    public void Only_the_same_type_and_value_are_equal()
    {
        var values = Types.Select(row => row.Data.Item2).ToList();
        for (var i = 0; i < values.Count; i++)
        {
            for (var j = 0; j < values.Count; j++)
            {
                Assert.Equal(i == j, AttributeEquality.AreEqual(Item(values[i]), Item(values[j])));
            }
        }
    }

    [Fact]
    public void Sets_have_no_order_and_lists_have_one()
    {
        Assert.True(AttributeEquality.AreEqual(Item(new() { SS = ["a", "b"] }), Item(new() { SS = ["b", "a"] })));
        Assert.True(AttributeEquality.AreEqual(Item(new() { NS = ["1", "2"] }), Item(new() { NS = ["2", "1"] })));
        Assert.True(AttributeEquality.AreEqual(Item(new() { BS = [new([1]), new([2])] }), Item(new() { BS = [new([2]), new([1])] })));
        Assert.False(AttributeEquality.AreEqual(Item(new() { L = [new("a"), new("b")] }), Item(new() { L = [new("b"), new("a")] })));
    }

    [Fact]
    public void A_name_more_or_less_is_a_difference()
    {
        var more = Item(new("a"));
        more["y"] = new("b");

        Assert.False(AttributeEquality.AreEqual(Item(new("a")), more));
        Assert.False(AttributeEquality.AreEqual(more, Item(new("a"))));
    }

    private static Dictionary<string, AttributeValue> Item(AttributeValue value) => new() { ["x"] = value };
}
