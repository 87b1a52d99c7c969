// @ts-check
/**
 * The word list of fingerprints and passphrases: 1,024 common English words, ten bits each. Chosen to be read out over a telephone:
 * no word begins another, no two differ by one letter or a swap of two, none is another's plural. client/e2ee/words.txt is the
 * same list. Never change it: every fingerprint would.
 */
export const WORDS = Object.freeze(
  `
  acorn actor airport alarm album almond alpha anchor angle animal antenna apple apron arcade arctic arena artist
  athlete atlas august autumn avocado azure badge bagel bagpipe baker balance balcony ballet balloon bamboo banana
  banjo banner barley barn barrel basil basket batch battery beach beacon beagle bean beaver bedroom beetle bell
  bicycle billion biology birch bird biscuit bishop blanket blizzard blossom blue bonfire bonus book bottle boxer
  bracket branch brass brave breeze brick bridge broccoli broom brother brown brush bubble bucket budget buffalo build
  bulb bundle bungalow burger bus butter button cabbage cabin cable cactus cake calendar calm camel camera campus
  canal candle canoe canvas canyon captain caramel carbon cargo carpet carrot cartoon carve cashew castle catalog
  cauldron cedar ceiling celery cement ceramic cereal chain chalk champion chapel chase cheese cherry chess chestnut
  chicken chief chimney chorus cinnamon circle circus citizen city clarinet clarity classic clay client climb clock
  closet cloud clover coach coast cobalt cobweb coconut coffee coin collar column comet comfort common compass compost
  concert copper coral corner cosmic cottage cotton country courage cowboy coyote crab cradle craft crater crayon
  cream cricket crowd cruise crystal cucumber cupcake curious curtain cushion daffodil daisy dance dawn daylight
  decade delight delta deputy desert design desk detail device dial diamond diary diesel digital dinner dinosaur
  diploma direct dish distance doctor dolphin donkey door double dozen dragon drama drawing dress drift drive drizzle
  drum duck dumpling dune eager earth easel echo eclipse eggplant eight elder elegant element elephant elevator elm
  embrace emerald empire energy engine enjoy envelope eraser evening event exotic expert explore fabric falcon family
  famous fancy farm fashion father feature fence ferry festival fiction field fifteen filter finch finish fire flag
  flame flamingo fleet flight floor flute foam focus folder follow forest fork fortune forum fossil fountain fox
  freedom freight fresh friend fringe frog frost frozen fruit fudge fuel funny furnace future gadget galaxy gallery
  gallon garage garden garlic gear gecko gentle genuine geometry giant ginger giraffe glacier glad glance glass glide
  glitter globe glory glow gnome goal goblet golden golf gondola goose gopher govern grade grain grand graph gravity
  gravy green grid grocery group grove guava guest guitar habit hail half hallway hammer hammock hamster happy harmony
  harp harvest hat hazelnut head health heavy hedge helium helmet herb heron hexagon hiccup hidden highway hill
  history hobby hockey holiday home honest honey horizon horn horse hotel hover humble hundred hurry hydrant iceberg
  icon igloo image imagine indigo indoor industry ink inspire install invent invite island item ivory ivy jacket
  jackpot jaguar jasmine javelin jazz jelly jewel jigsaw jog joke journey joyful jubilee juice jukebox jumbo jump
  jungle kangaroo kayak kennel ketchup kettle keyboard keyhole king kiosk kitchen kite kitten kiwi koala label ladder
  lagoon lamp language lantern laptop large laundry lavender leader leaf learn leather legend lemon leopard lesson
  letter lettuce liberty library license lift lilac lily limerick linen lion listen little lizard llama lobster locker
  lollipop loop lotus lounge loyal lucky luggage lumber lunch macaroni machine maestro magic magnet magpie mailbox
  mammal mandolin mango mansion maple marble march margin marigold marine market marzipan mask master matrix mattress
  meadow medal media meerkat melody memory menu merchant mercury mermaid midnight mild mimic mineral minute miracle
  mirror mixture mobile model monitor month moonbeam morning mosaic moss mother motion mouse movie muffin mulberry
  museum mushroom music mustard mutual mystery napkin narrow nation nature nearby nebula necklace nectar needle nest
  neutral never nickel nimble noble noodle north novel nurse nutmeg oak oasis oatmeal ocean octagon octopus office
  olive olympic omega onion opera opinion orange orbit orchard oregano organ origami origin ostrich otter outdoor oval
  oven owner oxygen oyster pacific package paddle page paint palace pancake panda panel panther paper paprika parade
  parcel parent parsley partner passport pasta patio patrol pattern pause pavement peacock peanut pebble pelican
  pencil pendant penguin penny pepper perfect phone photo piano picnic picture pigeon pillow pilot pinball pine
  pioneer pirate pizza planet plastic plate platypus playful plenty pluck plum pocket podium poem polar polish polite
  pond popcorn porridge portal position postcard postman potato pottery powder praise prepare present pretty pretzel
  prince prism produce program pudding pumpkin puppy purple puzzle pyramid quarter quartz queen question quick quiet
  quiz quote rabbit radar radio radish railway rainbow raisin raven razor recipe record recycle reef reflect reindeer
  relax renew rescue resource ribbon rice riddle ripple rival river road robin robot romance roof rooster rope
  rosemary rotate round route rubber rudder rugby ruler rustic safari safe salad salmon salt salute sample sand
  sapphire sardine satchel satin saturn sawdust scallop scarf scatter scooter scout screen scroll seahorse sedan seven
  shadow shampoo shamrock share shelf shepherd sheriff shield ship shirt shoe shovel shrimp shuttle sibling side
  sierra signal silent silk silver siren sister sixteen sketch ski skylark sled sleeve slice slipper slogan slope
  smile smooth snack snail snorkel snow soap soccer sock soda soft soil solve sonic south space spark sparrow spatula
  speak speed sphere spider spinach spiral splash sponge spoon sport spray spring sprout square squirrel stable
  stadium staff stage stamp stapler starfish starling station statue steam steel stereo stew stick stone stool storm
  strategy street strong student studio style subway success sugar summer summit sundial sunset sunshine supreme
  surprise swallow swan sweater swift swim switch symbol syrup system tablet tackle tactic tadpole talent tapestry
  target tavern taxi teacher teapot teaspoon temple tennis tent terrace texture thank theme theory thimble thirty
  thrive thunder ticket tiger timber time tiny tissue title toboggan toddler together token tomato topic torch tornado
  tortilla tortoise toucan towel town toy tractor traffic trail transfer travel treasure treat tree trend triangle
  tribe tricycle trolley trophy trout truck trumpet tugboat tulip tuna tundra tunnel turbine turkey turnip turtle
  tutor twelve twenty twilight twin ultra umbrella uncle unicorn uniform universe unlock update uphill useful vacuum
  valley vanilla vault vector velvet venture verse victory video view villa vineyard vintage violet violin vitamin
  vocal voice volcano volume voyage vulture waffle wagon waiter walk walnut walrus wander warbler wardrobe wash
  website wedding weekend whale wheat wheel whisper whistle white windmill window winter wisdom wombat wood worker
  workshop world wrench yacht yard yeast yellow yoga yogurt young zebra zero zigzag zinc zipper zone zoo zucchini
`.trim().split(/\s+/),
);
