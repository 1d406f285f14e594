using Amazon.DynamoDBv2.Model;
using CsCheck;

namespace Failover.ItemRecord.Tests;

/// <summary>Equal items have equal hashes, and others have others: the same rules as <see cref="AttributeEquality"/>.</summary>
public class ItemHasherTests
{
    private readonly ItemHasher _hasher = new(seed: 7);

    [Theory]
    [InlineData("1", "1.0")]
    [InlineData("1", "+1")]
    [InlineData("1", "10e-1")]
    [InlineData("100", "1E2")]
    [InlineData("0.001", "1e-3")]
    [InlineData("0", "-0.00")]
    [InlineData("0", "0e10")]
    [InlineData("-12.50", "-1.25E+1")]
    [InlineData("12345678901234567890123456789012345678", "1.2345678901234567890123456789012345678e37")]
    public void Numbers_go_by_value(string one, string other) => AssertSame(new() { N = one }, new() { N = other });

    [Theory]
    [InlineData("1", "-1")]
    [InlineData("1", "10")]
    [InlineData("0.1", "0.01")]
    [InlineData("101", "11")]
    [InlineData("12345678901234567890123456789012345678", "12345678901234567890123456789012345679")]
    [InlineData("9007199254740993", "9007199254740992")]
    public void Other_values_are_other_numbers(string one, string other) => AssertOther(new() { N = one }, new() { N = other });

    [Fact]
    public void Types_count()
    {
        AttributeValue[] all =
        [
            new() { S = "1" }, new() { N = "1" }, new() { BOOL = true }, new() { BOOL = false }, new() { NULL = true }, new() { S = "" }, new() { B = Bytes("1") },
            new() { L = [new("1")], IsLSet = true }, new() { SS = ["1"] }, new() { NS = ["1"] }, new() { BS = [Bytes("1")] },
            new() { M = new() { ["1"] = new("1") }, IsMSet = true }, new() { M = [], IsMSet = true }, new() { L = [], IsLSet = true },
        ];
        Assert.Equal(all.Length, all.Select(value => _hasher.Of(Item(value))).Distinct().Count());
        Assert.All(all, one => Assert.All(all, other => Assert.Equal(ReferenceEquals(one, other), AttributeEquality.AreEqual(Item(one), Item(other)))));
    }

    [Fact]
    public void Sets_have_no_order_and_lists_have_one()
    {
        AssertSame(new() { SS = ["a", "b", "c"] }, new() { SS = ["c", "a", "b"] });
        AssertSame(new() { NS = ["1", "2.0"] }, new() { NS = ["2", "1.00"] });
        AssertSame(new() { BS = [Bytes("x"), Bytes("y")] }, new() { BS = [Bytes("y"), Bytes("x")] });
        AssertOther(new() { SS = ["a", "b"] }, new() { SS = ["a", "c"] });
        AssertOther(new() { L = [new("a"), new("b")] }, new() { L = [new("b"), new("a")] });
    }

    [Fact]
    public void The_order_of_members_does_not_count()
    {
        Dictionary<string, AttributeValue> one = new() { ["a"] = new("1"), ["b"] = new() { M = new() { ["x"] = new("1"), ["y"] = new("2") } } };
        Dictionary<string, AttributeValue> other = new() { ["b"] = new() { M = new() { ["y"] = new("2"), ["x"] = new("1") } }, ["a"] = new("1") };
        Assert.Equal(_hasher.Of(one), _hasher.Of(other));
    }

    /// <summary>Sums of members must not make up for one another.</summary>
    [Fact]
    public void What_moves_from_one_member_to_another_is_something_else()
    {
        Assert.NotEqual(_hasher.Of(new() { ["a"] = new("1"), ["b"] = new("2") }), _hasher.Of(new() { ["a"] = new("2"), ["b"] = new("1") }));
        Assert.NotEqual(_hasher.Of(new() { ["ab"] = new("c") }), _hasher.Of(new() { ["a"] = new("bc") }));
        AssertOther(new() { L = [new() { L = [new("a")] }, new("b")] }, new() { L = [new() { L = [new("a"), new("b")] }] });
        AssertOther(new() { M = new() { ["m"] = new() { M = new() { ["a"] = new("1") } } } }, new() { M = new() { ["m"] = new() { M = [] }, ["a"] = new("1") } });
    }

    /// <summary>Items are added up: two that have exchanged a member must not have the sum of two that have not.</summary>
    [Fact]
    public void What_moves_from_one_item_to_another_is_another_sum()
    {
        Dictionary<string, AttributeValue> Position(string id, string place) => new() { ["id"] = new(id), ["place"] = new(place) };
        Assert.NotEqual(_hasher.Of(Position("a", "1")) + _hasher.Of(Position("b", "2")), _hasher.Of(Position("a", "2")) + _hasher.Of(Position("b", "1")));
    }

    [Fact]
    public void An_item_of_any_size_is_hashed()
    {
        var item = Item(new(new string('x', 400_000)));
        var hash = _hasher.Of(item);
        Assert.Equal(hash, _hasher.Of(item));
        item["a"] = new(new string('x', 399_999) + "y");
        Assert.NotEqual(hash, _hasher.Of(item));
    }

    [Fact]
    public void Another_seed_gives_another_hash() => Assert.NotEqual(_hasher.Of(Item(new("x"))), new ItemHasher(8).Of(Item(new("x"))));

    /// <summary>Drawn pairs: now and then equal, mostly nearly so.</summary>
    [Fact]
    public void Hashes_are_equal_exactly_where_items_are()
    {
        var value = Gen.Recursive<AttributeValue>((depth, inner) => depth > 3 ? Scalar : Gen.Frequency(
            (4, Scalar),
            (1, inner.List[0, 3].Select(list => new AttributeValue { L = list, IsLSet = true })),
            (1, Gen.Select(Draw("a", "b", "c"), inner).List[0, 3].Select(pairs => new AttributeValue { M = pairs.DistinctBy(pair => pair.Item1).ToDictionary(pair => pair.Item1, pair => pair.Item2), IsMSet = true }))));
        Gen.Select(value, value).Sample((one, other) => (_hasher.Of(Item(one)) == _hasher.Of(Item(other))) == AttributeEquality.AreEqual(Item(one), Item(other)), iter: 20_000, threads: 1);
    }

    private static readonly Gen<AttributeValue> Scalar = Gen.OneOf(
        Draw("", "a", "1").Select(text => new AttributeValue { S = text }),
        Draw("1", "1.0", "10", "1e1", "-0", "0").Select(number => new AttributeValue { N = number }),
        Gen.Bool.Select(flag => new AttributeValue { BOOL = flag }),
        Draw("1", "1.0", "2").List[1, 2].Where(set => set.Select(decimal.Parse).Distinct().Count() == set.Count).Select(set => new AttributeValue { NS = set }));

    private void AssertSame(AttributeValue one, AttributeValue other)
    {
        Assert.Equal(_hasher.Of(Item(one)), _hasher.Of(Item(other)));
        Assert.True(AttributeEquality.AreEqual(Item(one), Item(other)));
    }

    private void AssertOther(AttributeValue one, AttributeValue other)
    {
        Assert.NotEqual(_hasher.Of(Item(one)), _hasher.Of(Item(other)));
        Assert.False(AttributeEquality.AreEqual(Item(one), Item(other)));
    }

    private static Dictionary<string, AttributeValue> Item(AttributeValue value) => new() { ["id"] = new("k"), ["a"] = value };

    private static Gen<string> Draw(params string[] all) => Gen.Int[0, all.Length - 1].Select(index => all[index]);

    private static MemoryStream Bytes(string text) => new(System.Text.Encoding.UTF8.GetBytes(text));
}
